"""Running again from the app: with the real engine, and what the question says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.projects import Project, end_all
from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.workspace import processes
from xpm_tui.screens import dialog
from xpm_tui.screens.dialog import Dialog

Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]
both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])

CHAIN = """
class Flaky(Task):
    name: Param[int]

    def execute(self) -> None:
        if not LEDGER.with_name("fixed").exists():
            raise ValueError(f"work {self.name} fails")

with experiment("ws", "exp"):
    bad = Flaky(name=1).submit()
    behind = Work(name=2, after=[bad]).submit()
    Work(name=4).submit()
"""


@pytest.fixture(autouse=True)
def _armed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "GRACE", 0.01)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A folder for plans; what still runs at the end is ended."""
    made = Project(tmp_path)
    yield made
    end_all(made)


@both_sizes
async def test_what_failed_runs_again_with_what_is_blocked_behind_it(
    project: Project, size: tuple[int, int]
) -> None:
    project.write(CHAIN)
    code, said = project.run()
    assert code == 1, said
    (project.folder / "fixed").touch()
    async with Driven(FakeWorkspace(project.folder / "ws")).at(size) as app:
        await app.press("R")
        text = await app.asked()
        assert "Run 2 jobs again?" in text
        assert "2 jobs to run again" in text
        assert "work 1 fails" in text
        assert "1 other job here is neither failed nor blocked" in text
        await app.press("enter")
        assert "nothing was run again" in app.lines()[-2]
        await app.press("g", "R")
        text = await app.asked()
        assert "1 job to run again" in text
        assert "1 job coming along" in text
        await app.press("tab", "enter")
        await app.until(lambda: "1 job again, 1 dependant along: exp/" in app.lines()[-2])
        await app.look(lambda: set(project.states().values()) == {"done"})
        project.wait_for(lambda: not any(view.live for view in project.retries()))


@both_sizes
async def test_what_stays_says_why(drive: Drive, size: tuple[int, int], jobs: Jobs) -> None:
    async with drive().at(size) as app:
        await app.press("j", "j", "l", "j", "j", "j", "j", "R")
        text = await app.asked()
        assert "Nothing here can be run again" in text
        assert "learn lr=0.01 seed=1 stays: it is running" in text
        await app.press("enter")
        assert not isinstance(app.app.screen, Dialog)


async def test_only_a_person_says_that_a_job_elsewhere_is_dead(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    elsewhere = replace(processes.own_identity(), machine_id="another", host="node7", pid=5120)
    job = FakeJob("ir.learn", "far", {"lr": 1})
    workspace.start(job, run="far/20261123-091200", by=elsewhere)
    workspace.run("far", [job])
    async with drive().at(WIDE) as app:
        await app.press("R")
        text = await app.asked()
        assert "it runs where it can't be asked from here" in text
        assert "5120 on node7" in text
        await app.press("escape")
    assert not os.path.exists(workspace.paths.job(job.key).end(1))
