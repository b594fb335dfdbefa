"""The app on a workspace of another machine."""

from __future__ import annotations

import re

import pytest

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.far.conftest import Line
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_tui.app import XpmApp
from xpm_tui.far.place import FarPlace
from xpm_tui.far.site import FarSite
from xpm_tui.store import AllJobsSubject, JobSubject

Jobs = dict[str, FakeJob]


@pytest.fixture
def driven(workspace: FakeWorkspace, far: FarPlace) -> Driven:
    found = Driven(workspace)
    found.app = XpmApp(far.here, clock=lambda: NOON, far=FarSite(far), survey=False)
    return found


async def _open(driven: Driven, job: FakeJob) -> None:
    driven.right.open(JobSubject(job.key, driven.app.store.run_of(AllJobsSubject())))
    driven.main._show_place()
    await driven.pilot.pause()


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_the_screen_says_where_it_is(
    driven: Driven, jobs: Jobs, workspace: FakeWorkspace, size: tuple[int, int]
) -> None:
    async with driven.at(size):
        assert driven.lines()[0].startswith(f" elsewhere:{workspace.paths.root[:10]}")
        assert any("drmm" in line for line in driven.tree_lines())
        await driven.until(lambda: "● live" in driven.lines()[-2])


async def test_the_files_of_the_job_on_the_screen_come_here(
    driven: Driven, workspace: FakeWorkspace
) -> None:
    job = FakeJob("drmm.learn", "one")
    workspace.run("exp", [job])
    paths = workspace.start(job)
    workspace.log(job, "epoch 1\n", stream="err")
    async with driven.at(WIDE):
        await driven.until(lambda: driven.app.store.job(job.key).record.attempt)
        await _open(driven, job)
        await driven.press("3")
        await driven.until(lambda: "epoch 1" in "\n".join(driven.lines()))
        workspace.log(job, "epoch 2\n", stream="err")
        await driven.until(lambda: "epoch 2" in "\n".join(driven.lines()))
        await driven.press("1")
        await driven.until(lambda: paths.root[:30] in "\n".join(driven.lines()))
        await driven.press("5")
        await driven.until(lambda: "job.json" in "\n".join(driven.lines()))
        assert str(driven.app.store.workspace.root) not in "\n".join(driven.lines())


async def test_nothing_is_fetched_of_it(driven: Driven, jobs: Jobs) -> None:
    async with driven.at(WIDE):
        await driven.press("F")
        assert "elsewhere's own workspace: Y copies its folder for scp" in driven.lines()[-2]


async def test_a_cut_line_is_told_and_healed(
    driven: Driven, line: Line, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    async with driven.at(WIDE):
        line.cut()
        await driven.until(
            lambda: re.search(r"link lost, again in \d+ s, as of 12:00", driven.lines()[-2])
        )
        before = driven.tree_lines()
        assert any("drmm" in row for row in before)
        new = FakeJob("drmm.learn", "meanwhile")
        workspace.start(new)
        line.heal()
        await driven.until(lambda: driven.app.store.job(new.key).record.attempt)
        await driven.until(lambda: "● live" in driven.lines()[-2])
