"""What the keys change on another machine: done there, by the engine's own verbs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.far.sshd import Sshd
from tests.tui.conftest import Victim
from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.far.conftest import Line
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_engine.verbs import clean
from xpm_engine.verbs.clean import list_trash
from xpm_engine.verbs.why import why
from xpm_engine.workspace.records.runs import PlanState
from xpm_tui import clock
from xpm_tui.app import XpmApp
from xpm_tui.changes import Cleaned, Pinned
from xpm_tui.far.deeds import FarDeeds
from xpm_tui.far.place import FarPlace, open_place
from xpm_tui.far.site import FarSite
from xpm_tui.planning import PlanOrder
from xpm_tui.screens import dialog
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.screens.dialog import Dialog
from xpm_tui.screens.typed import TypedDialog
from xpm_tui.widgets import plan_pane
from xpm_tui.widgets.plan_table import PlanTable

INDEX = FakeJob("ir.index", "a", {"stem": "porter"})
LEARN = FakeJob("ir.learn", "b", {"lr": 0.1}, deps=(INDEX.key,))
BAD = FakeJob("ir.learn", "c", {"lr": 1.0}, deps=(INDEX.key,))
LIVE = FakeJob("ir.learn", "d", {"lr": 2.0}, deps=(INDEX.key,))

Drive = Callable[..., Driven]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    monkeypatch.setattr(plan_pane, "GRACE", 0.0)
    monkeypatch.setattr(dialog, "GRACE", 0.01)


@pytest.fixture
def old_run(workspace: FakeWorkspace) -> None:
    """A run that is over, of an index and two jobs made from it."""
    workspace.done(INDEX, run="old/20261101-101500")
    workspace.done(LEARN, run="old/20261101-101500")
    workspace.failed(BAD, run="old/20261101-101500")
    jobs = [INDEX, LEARN, BAD]
    workspace.run("old", jobs, run="20261101-101500", plan=PlanState.COMPLETE, ended=10)


@pytest.fixture
def far_drive(workspace: FakeWorkspace, open_far: Callable[[], FarPlace]) -> Drive:
    """Opens the app on the workspace there, as a test has filled it by then."""

    def opened(*, readonly: bool = False) -> Driven:
        far = open_far()
        found = Driven(workspace)
        site = FarSite(far, readonly=readonly)
        found.app = XpmApp(far.here, clock=lambda: NOON, far=site, readonly=readonly)
        return found

    return opened


async def _see(app: Driven, words: str) -> None:
    await app.until(lambda: words in "\n".join(app.lines()))


async def _plan(app: Driven, *jobs: FakeJob) -> PlanTable:
    app.app.plan_removal(frozenset(job.key for job in jobs))
    await app.until(lambda: app.app.screen.query(PlanTable))
    table = app.app.screen.query_one(PlanTable)
    await app.until(lambda: table.removal is not None and table.removal.measured)
    await app.pilot.pause()
    return table


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_a_failed_job_goes_to_the_trash_there_and_comes_back(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None, size: tuple[int, int]
) -> None:
    folder = Path(workspace.paths.job(BAD.key).root)
    async with far_drive().at(size) as app:
        table = await _plan(app, INDEX, LEARN, BAD)
        assert table.removal is not None
        assert table.removal.size > 0
        row = next(row for row in table.removal.rows if row.offer == INDEX.key)
        assert {need.job for need in row.needs if need.job} == {LEARN.key, BAD.key}
        assert app.app.store.record(BAD.key) == next(
            row.job for row in table.removal.rows if row.offer == BAD.key
        )
        await app.press("X")
        await _see(app, "moved 1 job to the trash")
        assert not folder.exists()
        assert Path(workspace.paths.job(INDEX.key).root).is_dir()
        await app.until(lambda: app.app.store.trash == list_trash(workspace.paths))
        await app.until(lambda: any("Trash" in line for line in app.tree_lines()))
        await app.press("z")
        await _see(app, "moved 1 job back")
        assert folder.is_dir()
        await app.until(lambda: not app.app.store.trash)


async def test_a_plan_whose_link_was_lost_moves_nothing(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None, line: Line
) -> None:
    async with far_drive().at(WIDE) as app:
        await _plan(app, BAD)
        line.cut()
        await app.press("X")
        await _see(app, "nothing was moved")
        assert os.path.isdir(workspace.paths.job(BAD.key).root)
        await app.press("escape")
        app.app.plan_removal(frozenset((BAD.key,)))
        await _see(app, "the line is cut")
        await app.press("escape")
        line.heal()
        await app.until(lambda: "● live" in app.lines()[-2])
        await _plan(app, BAD)
        await app.press("X")
        await _see(app, "moved 1 job to the trash")


async def test_what_is_obsolete_and_a_run_make_plans_too(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None
) -> None:
    workspace.run("old", [INDEX], run="20261102-101500", plan=PlanState.COMPLETE, ended=5)
    async with far_drive().at(WIDE) as app:
        await app.until(lambda: app.app.store.experiment("old"))
        experiment = app.app.store.experiment("old")
        assert experiment is not None
        order = app.main.plan_of(frozenset())
        deeds = app.app.deeds
        found, days = deeds.plan(type(order)(order.workspace, order.jobs, order.views))
        assert days == 14
        assert {row.offer for row in found.rows} == {LEARN.key, BAD.key}
        chosen = type(order)(
            order.workspace,
            order.jobs,
            order.views,
            runs=(experiment.runs[-1],),
            runs_chosen=True,
        )
        found, _ = deeds.plan(chosen)
        assert any(row.run is not None and row.ticked for row in found.rows)


async def test_kill_offers_to_stop_the_plan_there(
    far_drive: Drive, workspace: FakeWorkspace, supervisor: Victim, driver: Victim
) -> None:
    workspace.start(LIVE, run="one/20261123-091200", by=supervisor[1])
    workspace.run("one", [LIVE], driver=driver[1])
    async with far_drive().at(WIDE) as app:
        await app.press("K")
        await app.until(lambda: isinstance(app.app.screen, Dialog) and app.app.focused is not None)
        assert f"process {driver[1].pid} on" in "\n".join(app.lines())
        await app.press("tab", "tab", "enter")
        await _see(app, "1 job asked to stop; the plan too")
        assert driver[0].wait(timeout=30) == -signal.SIGTERM
        assert supervisor[0].wait(timeout=30) == -signal.SIGTERM


async def test_pins_are_set_there_and_taken_back(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None
) -> None:
    pin = Path(workspace.paths.job(LEARN.key).pin)
    async with far_drive().at(WIDE) as app:
        app.main._mark(frozenset((LEARN.key,)))
        await app.press("p")
        await _see(app, "pinned 1 job")
        assert pin.exists()
        await app.press("z")
        await _see(app, "unpinned 1 job")
        assert not pin.exists()


async def test_the_trash_there_is_emptied_after_a_typed_word(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None
) -> None:
    clean.carry_out(workspace.paths, clean.plan_removal(workspace.paths, [BAD.key]))
    async with far_drive().at(WIDE) as app:
        await app.until(lambda: app.app.store.trash)
        await app.press("G")
        await app.until(lambda: "Trash" in app.row())
        await app.settle()
        await app.press("x")
        await app.until(lambda: isinstance(app.app.screen, TypedDialog))
        await app.until(lambda: app.app.focused is not None)
        await app.press(*"purge", "enter")
        await _see(app, "purged 1 clean")
        await app.until(lambda: not app.app.store.trash)
        assert not list_trash(workspace.paths)


async def test_why_a_job_ran_is_asked_there(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None
) -> None:
    async with far_drive().at(WIDE) as app:
        await app.until(lambda: app.app.store.experiment("old"))
        found = app.app.deeds.why(LEARN.key)
        assert found == why(workspace.paths, LEARN.key)


def test_over_a_real_ssh(
    sshd: Sshd, workspace: FakeWorkspace, old_run: None, tmp_path: Path
) -> None:
    place = open_place(f"ssh://loopback{workspace.paths.root}", caches=str(tmp_path / "far"))
    deeds = FarDeeds(place)
    try:
        assert deeds.pin([LEARN.key]) == Pinned((LEARN.key,), on=True)
        found, _ = deeds.plan(PlanOrder(place.here, {}, (), keys=(LEARN.key, BAD.key)))
        assert [row.refused for row in found.rows if row.offer == LEARN.key] == ["it is pinned"]
        done = deeds.move(found, frozenset((LEARN.key, BAD.key)))
        assert [removal.key for removal in done.removals] == [BAD.key]
        assert deeds.trash() == list_trash(workspace.paths)
        assert "1 job back" in deeds.take_back(Cleaned(done.name))
        assert deeds.take_back(Pinned((LEARN.key,), on=True)) == "unpinned 1 job"
    finally:
        deeds.close()
        place.link.close()


async def test_readonly_changes_nothing_there(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None
) -> None:
    async with far_drive(readonly=True).at(WIDE) as app:
        for key in ("K", "x", "p"):
            await app.press(key)
            await app.until(lambda: "--readonly" in app.lines()[-2])
        app.app.plan_removal(frozenset((BAD.key,)))
        await app.until(lambda: isinstance(app.app.screen, CleanScreen))
        await app.press("X")
        await app.until(lambda: "--readonly" in app.lines()[-2])
        assert os.path.isdir(workspace.paths.job(BAD.key).root)
