"""Running again on another machine: by the interpreter that ran the jobs there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.projects import Project, end_all
from tests.tui.driving import WIDE, Driven
from tests.tui.far.conftest import Line
from tests.tui.screens.test_retry import CHAIN, both_sizes
from tests.tui.workspaces import FakeWorkspace
from xpm_engine.errors import LaunchError
from xpm_engine.workspace import scan
from xpm_engine.workspace.records.states import JobState
from xpm_tui.app import XpmApp
from xpm_tui.far.place import open_place
from xpm_tui.far.site import FarSite
from xpm_tui.screens import dialog


@pytest.fixture(autouse=True)
def _armed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "GRACE", 0.01)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A plan that ended, of which a job failed and another is blocked; what still runs is ended."""
    made = Project(tmp_path)
    made.write(CHAIN)
    code, said = made.run()
    assert code == 1, said
    yield made
    end_all(made)


@pytest.fixture
def opened(project: Project, tmp_path: Path, line: Line) -> Iterator[Callable[..., Driven]]:
    """Opens the app on that workspace, as if it were on another machine."""
    sites: list[FarSite] = []

    def start(*, readonly: bool = False) -> Driven:
        url = f"ssh://elsewhere{project.workspace.root}"
        place = open_place(url, caches=str(tmp_path / "far"), dial=line.dial, verbs=line.verbs)
        sites.append(FarSite(place, readonly=readonly))
        found = Driven(FakeWorkspace(Path(project.workspace.root)))
        found.app = XpmApp(place.here, far=sites[-1], readonly=readonly, survey=False)
        return found

    yield start
    for site in sites:
        site.close()


async def _see(app: Driven, words: str) -> None:
    await app.until(lambda: words in "\n".join(app.lines()))


@both_sizes
async def test_what_failed_there_runs_again_with_what_is_blocked_behind_it(
    project: Project, opened: Callable[..., Driven], size: tuple[int, int]
) -> None:
    (project.folder / "fixed").touch()
    async with opened().at(size) as app:
        await _see(app, "Failed")
        await app.press("g", "R")
        text = await app.asked()
        assert "Run 2 jobs again?" in text
        assert "1 job to run again" in text
        assert "1 job coming along" in text
        assert "work 1 fails" in text
        await app.press("enter")
        await _see(app, "nothing was run again")
        assert not project.retries()
        await app.press("R")
        await app.asked()
        await app.press("tab", "enter")
        await _see(app, "1 job again, 1 dependant along: exp/")
        await app.until(lambda: set(project.states().values()) == {"done"})
        await app.until(lambda: app.app.store.totals().failed == 0)
        project.wait_for(lambda: not any(view.live for view in project.retries()))
    assert len(project.retries()) == 1


async def test_a_retry_outlives_the_link(
    project: Project, opened: Callable[..., Driven], line: Line
) -> None:
    (project.folder / "fixed").touch()
    async with opened().at(WIDE) as app:
        await _see(app, "Failed")
        await app.press("g", "R")
        await app.asked()
        await app.press("tab", "enter")
        await _see(app, "1 job again")
        line.cut()
        await app.until(lambda: "link lost, again in" in app.lines()[-2])
        project.wait_for(lambda: set(project.states().values()) == {"done"})
        line.heal()
        await app.until(lambda: app.app.store.totals().failed == 0)


async def test_a_link_that_is_lost_before_the_answer_starts_nothing(
    project: Project, opened: Callable[..., Driven], line: Line
) -> None:
    async with opened().at(WIDE) as app:
        await _see(app, "Failed")
        await app.press("g", "R")
        await app.asked()
        line.cut()
        await app.press("tab", "enter")
        await _see(app, "nothing was changed")
    assert not project.retries()


@pytest.mark.parametrize(
    ("interpreter", "said"),
    [
        ("/gone/python", "the interpreter of its plan is gone: here:/gone/python"),
        (None, "nobody knows its plan's interpreter"),
        ("/bare/python", "xpm-tui is not installed there, or older than"),
    ],
)
def test_an_interpreter_that_can_not_do_it_is_named(
    project: Project, opened: Callable[..., Driven], interpreter: str | None, said: str
) -> None:
    if interpreter == "/bare/python":
        bare = project.folder / "bare"
        bare.write_text('#!/bin/sh\necho "No module named xpm_engine.plan.retry" >&2\nexit 1\n')
        bare.chmod(0o755)
        interpreter = str(bare)
    (run,) = scan.list_runs(project.workspace, "exp")
    path = Path(project.workspace.run("exp", run).record)
    record = json.loads(path.read_text())
    record["environment"]["executable"] = interpreter
    path.write_text(json.dumps(record))
    deeds = opened().app.deeds
    (failed,) = (
        key
        for key in scan.list_jobs(project.workspace)
        if scan.read_job(project.workspace, key).state is JobState.FAILED
    )
    plan = deeds.plan_retry([failed])
    assert [job.key for job in plan.again] == [failed]
    with pytest.raises(LaunchError, match="a retry can't be started") as raised:
        deeds.start_retry(plan)
    assert said in f"{raised.value.what}: {raised.value.where}"
    assert raised.value.hint == "run the plan again, with the interpreter that it needs"
    assert not project.retries()


async def test_readonly_says_so(project: Project, opened: Callable[..., Driven]) -> None:
    async with opened(readonly=True).at(WIDE) as app:
        await _see(app, "Failed")
        await app.press("g", "R")
        await _see(app, "--readonly")
    assert not project.retries()
    assert os.path.isdir(project.workspace.root)
