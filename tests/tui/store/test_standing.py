"""A plan that broke off hides nothing of what stood before."""

from __future__ import annotations

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.hosting import read_all, store_of
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.workspace.records.runs import PlanState
from xpm_tui.store import AllJobsSubject, ExperimentSubject, FailedSubject, RunKey, Store
from xpm_tui.widgets.runs.lines import against_latest

BEFORE, LATER = "20261122-091200", "20261123-080000"
A, B, C = (FakeJob("ir.learn", name, {"lr": name}) for name in ("a", "b", "c"))


def yesterday(workspace: FakeWorkspace) -> None:
    """A run of three jobs, of which one failed."""
    workspace.failed(A, run=f"drmm/{BEFORE}", ended=80_000)
    workspace.done(B, run=f"drmm/{BEFORE}", ended=80_000)
    workspace.done(C, run=f"drmm/{BEFORE}", ended=80_000)
    plan = PlanState.COMPLETE
    workspace.run("drmm", [A, B, C], run=BEFORE, plan=plan, started=90_000, ended=80_000)


def raised(workspace: FakeWorkspace, *jobs: FakeJob, plan: PlanState = PlanState.RAISED) -> None:
    """The plan is run again, and breaks off."""
    workspace.run(
        "drmm",
        jobs,
        run=LATER,
        plan=plan,
        started=900,
        ended=890,
        error="ValueError: no [such] path",
    )


def test_a_plan_that_raised_early_hides_no_failure(workspace: FakeWorkspace) -> None:
    yesterday(workspace)
    raised(workspace)
    store = store_of(workspace)
    (drmm,) = store.experiments()
    assert drmm.latest == RunKey("drmm", BEFORE)
    assert drmm.earlier == (RunKey("drmm", LATER),)
    assert [view.run for view in store.later_runs("drmm")] == [LATER]
    assert store.counts(ExperimentSubject("drmm")).total == 3
    assert store.keys(FailedSubject()) == (A.key,)
    assert store.totals().failed == 1


def test_while_it_goes_on_it_stands_and_gives_way_when_it_raises(workspace: FakeWorkspace) -> None:
    yesterday(workspace)
    workspace.run("drmm", [B], run=LATER, started=900)
    store = store_of(workspace)
    assert store.experiments()[0].latest == RunKey("drmm", LATER)
    assert store.keys(FailedSubject()) == ()
    raised(workspace, B)
    assert store.apply(read_all(workspace)).experiments
    assert store.experiments()[0].latest == RunKey("drmm", BEFORE)
    assert store.keys(FailedSubject()) == (A.key,)


def test_what_failed_before_other_jobs_were_named(workspace: FakeWorkspace) -> None:
    yesterday(workspace)
    new = FakeJob("ir.learn", "new", {"lr": "new"})
    workspace.failed(new, run=f"drmm/{LATER}", ended=890)
    raised(workspace, B, new)
    store = store_of(workspace)
    assert store.experiments()[0].latest == RunKey("drmm", LATER)
    assert store.left_behind("drmm") == (A.key,)
    assert set(store.keys(FailedSubject())) == {A.key, new.key}
    assert store.totals().failed == 2
    # A retry of it brings it right, without any run.
    workspace.done(A, attempt=2, run="drmm/x.retry")
    store.apply(read_all(workspace))
    assert store.keys(FailedSubject()) == (new.key,)
    assert store.totals().failed == 1


def test_a_complete_run_replaces_what_failed_before(workspace: FakeWorkspace) -> None:
    yesterday(workspace)
    workspace.run("drmm", [B], run=LATER, plan=PlanState.COMPLETE, started=900, ended=890)
    store = store_of(workspace)
    assert store.keys(FailedSubject()) == ()
    assert store.size(AllJobsSubject()) == 3


async def test_the_screen_says_what_became_of_the_plan(workspace: FakeWorkspace) -> None:
    yesterday(workspace)
    raised(workspace, B)
    async with Driven(workspace).at(WIDE) as app:
        await app.press("g", "j")
        await app.settle()
        text = "\n".join(app.lines())
        assert "✗ Failed" in text
        assert "other runs" in text
        assert "named 1 of these 3 jobs and raised: ValueError: no [" in text
        assert app.row().rstrip().endswith("✗1  raised")


async def test_the_narrow_screen_says_it_too(workspace: FakeWorkspace) -> None:
    yesterday(workspace)
    new = FakeJob("ir.learn", "new", {"lr": "new"})
    raised(workspace, new)
    async with Driven(workspace).at(NARROW) as app:
        await app.press("g", "j")
        await app.pilot.pause(0.3)
        text = "\n".join(app.lines())
        assert "before   1 job failed that this run does not name: see Failed" in text


def test_a_fresh_store_knows_the_same(workspace: FakeWorkspace) -> None:
    """However the runs came, the same one stands."""
    yesterday(workspace)
    store = store_of(workspace)
    raised(workspace)
    store.apply(read_all(workspace))
    fresh: Store = store_of(workspace)
    assert store.experiments() == fresh.experiments()


def test_a_failure_of_two_experiments_is_one(workspace: FakeWorkspace) -> None:
    yesterday(workspace)
    workspace.run("also", [A, B], run=LATER, plan=PlanState.COMPLETE, started=900, ended=890)
    store = store_of(workspace)
    assert [experiment.counts.failed for experiment in store.experiments()] == [1, 1]
    assert store.totals().failed == store.size(FailedSubject()) == 1


def test_a_run_that_broke_off_is_compared_with_the_one_that_stands(
    workspace: FakeWorkspace,
) -> None:
    yesterday(workspace)
    raised(workspace, B)
    store = store_of(workspace)
    lines = [line.plain for line in against_latest(store, RunKey("drmm", LATER))]
    assert lines[-1].startswith("added    2 jobs (")
    assert lines[-1].endswith(" in the run that stands")
