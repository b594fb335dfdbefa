"""What the keys change on another machine: done there, by the engine's own verbs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engine.projects import Project, end_all
from tests.far.plans import Far
from tests.far.sshd import Sshd
from tests.far.stub import StubHost
from tests.tui.conftest import Victim
from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.far.conftest import Line
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_engine.verbs.cleaning import clean
from xpm_engine.verbs.cleaning.clean import list_trash
from xpm_engine.verbs.why import why
from xpm_engine.workspace import scan
from xpm_engine.workspace.index import JobReader
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_tui import clock
from xpm_tui.app import XpmApp
from xpm_tui.changes import Cleaned, Pinned
from xpm_tui.cleaning.planning import PlanOrder
from xpm_tui.deeds import HereDeeds
from xpm_tui.far.deeds import FarDeeds
from xpm_tui.far.place import FarPlace, open_place
from xpm_tui.far.site import FarSite
from xpm_tui.screens import dialog
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.screens.typed import TypedDialog
from xpm_tui.widgets.cleaning import plan_pane
from xpm_tui.widgets.cleaning.obsolete import ObsoleteView
from xpm_tui.widgets.cleaning.plan_table import PlanTable

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
        await _see(app, "nothing was changed")
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
        assert f"process {driver[1].pid} on" in await app.asked()
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


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_what_is_obsolete_there_has_its_branch(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None, size: tuple[int, int]
) -> None:
    workspace.run("old", [INDEX], run="20261102-101500", plan=PlanState.COMPLETE, ended=5)
    async with far_drive().at(size) as app:
        await app.until(lambda: any("Obsolete" in line for line in app.tree_lines()))
        await app.until(lambda: app.app.store.obsolete and app.app.store.obsolete.measured)
        found = app.app.store.obsolete
        assert found is not None
        assert {row.offer for row in found.rows} == {LEARN.key, BAD.key}
        assert app.app.deeds.survey(app.main.plan_of(frozenset()))[0] is not None
        # Asked again for the same, it is the same, and nothing but a digest came.
        again, _ = app.app.deeds.survey(app.main.plan_of(frozenset()))
        assert again.offering is found.offering
        await app.press("G")
        assert "Obsolete" in app.row()
        await app.press("enter")
        await _see(app, "of 2 ticked")
        view = app.right.query_one(ObsoleteView)
        await app.until(lambda: view.plan.removal is not None)
        view.plan.tick(frozenset((LEARN.key,)))
        await app.press("X")
        await _see(app, "moved 1 job to the trash")
        assert not os.path.exists(workspace.paths.job(LEARN.key).root)
        await app.press("z")
        await _see(app, "moved 1 job back")
        await app.until(
            lambda: app.app.store.obsolete and len(app.app.store.obsolete.rows) == len(found.rows)
        )


def test_a_row_that_came_before_its_job_was_known_here_gets_its_name(
    far: FarPlace, workspace: FakeWorkspace, old_run: None
) -> None:
    deeds = FarDeeds(far)
    workspace.run("old", [INDEX], run="20261102-101500", plan=PlanState.COMPLETE, ended=5)
    early, _ = deeds.survey(PlanOrder(far.here, {}, ()))
    assert [row.job.ended for row in early.rows if row.job] == [None, None]
    known = JobReader(workspace.paths).everything()
    later, _ = deeds.survey(PlanOrder(far.here, known, ()))
    assert all(row.job and row.job.ended for row in later.rows)
    assert deeds.survey(PlanOrder(far.here, known, ()))[0] is later
    deeds.close()


async def test_what_can_not_be_read_there_is_obsolete_to_nobody(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None
) -> None:
    paths = workspace.run("old", [INDEX], run="20261102-101500", plan=PlanState.COMPLETE, ended=5)
    Path(paths.manifest).write_text("{")
    async with far_drive().at(WIDE) as app:
        await app.until(lambda: app.app.store.obsolete is not None)
        found = app.app.store.obsolete
        assert found is not None
        assert not {row.offer for row in found.rows if not row.refused}
        blockers = found.offering.seen.survey.blockers
        assert blockers
        assert workspace.paths.root in blockers[0]


async def test_the_branch_comes_back_with_the_link(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None, line: Line
) -> None:
    workspace.run("old", [INDEX], run="20261102-101500", plan=PlanState.COMPLETE, ended=5)
    async with far_drive().at(WIDE) as app:
        await app.until(lambda: app.app.store.obsolete and app.app.store.obsolete.measured)
        found = app.app.store.obsolete
        assert found is not None
        assert app.app.deeds.holds(found)
        line.cut()
        await app.until(lambda: "link lost" in app.lines()[-2])
        assert not app.app.deeds.holds(found)
        assert any("Obsolete" in row for row in app.tree_lines())
        line.heal()
        await app.until(lambda: "● live" in app.lines()[-2])
        await app.until(lambda: app.app.store.obsolete is not found)
        await app.until(lambda: app.app.deeds.holds(app.app.store.obsolete))


async def test_what_a_clean_there_holds_and_when_it_is_deleted(
    far_drive: Drive, workspace: FakeWorkspace, old_run: None
) -> None:
    gone = clean.carry_out(workspace.paths, clean.plan_removal(workspace.paths, [BAD.key]))
    clean.purge(workspace.paths, gone.name)
    clean.carry_out(workspace.paths, clean.plan_removal(workspace.paths, [LEARN.key]))
    Path(workspace.paths.settings).write_text("[retention]\ntrash_days = 3\n")
    async with far_drive().at(WIDE) as app:
        await app.until(lambda: any("Trash" in line for line in app.tree_lines()))
        await app.press("G")
        assert "Trash" in app.row()
        await app.press("enter")
        await _see(app, "record of 1 job")
        await app.press("g", "enter")
        await _see(app, "in the trash: z brings it back")
        await _see(app, "learn lr=0.1")
        deeds, here = app.app.deeds, HereDeeds(workspace.paths)
        assert deeds.cleaned(gone.name) == here.cleaned(gone.name)
        assert deeds.cleaned(gone.name).gone
        (lying,) = app.app.store.trash
        records = [each.cleaned(lying.name).record for each in (deeds, here)]
        # When it was asked stands where it was deleted, once it is.
        assert len({None if each is None else each.cleaned for each in records}) == 1
        assert [None if each is None else each.jobs for each in records] == [records[0].jobs] * 2  # type: ignore[union-attr]
        facts = deeds.trash_facts()
        assert facts.days == 3
        assert [record.name for record in facts.purged] == [gone.name]
        assert deeds.cleaned("20200101-000000-none").problem == "all of it was taken back"


@dataclass
class Third:
    """A plan there that has sent its job to a third machine, and who acts on it from here."""

    far: Far
    plan: subprocess.Popen[str]
    deeds: FarDeeds


@pytest.fixture
def third(tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Third]:
    project, host = Project(tmp_path / "project"), StubHost(tmp_path / "third")
    project.folder.mkdir()
    # Both the `ssh` of that plan and the one of the verbs lead to the third machine.
    monkeypatch.setenv("PATH", str(host.bin), prepend=":")
    far = Far(project, host)
    far.plan("Work(name=1, seconds=300).submit()")
    plan = project.start()
    place = open_place(
        f"ssh://elsewhere{project.workspace.root}",
        caches=str(tmp_path / "far"),
        dial=line.dial,
        verbs=line.verbs,
    )
    deeds = FarDeeds(place)
    try:
        project.wait_for(lambda: "begin 1" in project.ledger())
        yield Third(far, plan, deeds)
    finally:
        deeds.close()
        place.link.close()
        end_all(project)


def test_a_job_that_runs_on_a_third_machine_is_killed_from_here(third: Third) -> None:
    key = third.far.key()
    assert third.deeds.kill([key]) == ["asked to stop"]
    third.far.project.finish(third.plan)
    assert scan.read_job(third.far.here, key).state is JobState.CANCELLED
    assert third.deeds.kill([key]) == ["was not running"]


def test_a_third_machine_that_can_not_be_reached_is_named(third: Third) -> None:
    key = third.far.key()
    third.far.host.refuse()
    (words,) = third.deeds.kill([key])
    assert "runs where it can't be reached from here (on alpha" in words
    third.far.host.refuse(yes=False)
    (refusal,) = third.deeds.plan_retry([key], assume_dead=True).refused
    assert "alpha was asked, and says: it runs" in refusal.text
    assert third.deeds.kill([key]) == ["asked to stop"]


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
