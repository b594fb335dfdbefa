"""Which run an experiment stands on: a plan that broke off takes nothing away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.engine.folders import key, make_run, reference
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.runs import How, Manifest, PlanState, Reference
from xpm_engine.workspace.scan import RunView
from xpm_engine.workspace.standing import Standing, read_current, stand

A, B, C, D = (key(number) for number in range(1, 5))
COMPLETE, RAISED, RUNNING = PlanState.COMPLETE, PlanState.RAISED, PlanState.RUNNING
ENDED_BADLY = (RAISED, PlanState.INTERRUPTED, PlanState.CRASHED, PlanState.PARTIAL, None)


def view(run: str, plan: PlanState | None, jobs: Sequence[JobKey], drift: str = "") -> RunView:
    lines = tuple(Reference(job, How.NEW, "", drift=(drift,) if drift else ()) for job in jobs)
    return RunView("drmm", run, None, Manifest(lines, True), None, plan, "")


def stood(*views: RunView) -> Standing:
    found = stand(views)
    assert found is not None
    return found


def test_an_experiment_without_a_run_stands_on_none() -> None:
    assert stand(()) is None


@pytest.mark.parametrize("plan", [COMPLETE, RUNNING])
def test_what_is_complete_or_goes_on_stands_by_itself_and_asks_for_no_other(
    plan: PlanState,
) -> None:
    def views() -> Iterator[RunView]:
        yield view("2", plan, [])
        raise AssertionError("asked for another")

    assert stand(views()) == Standing(view("2", plan, []))


@pytest.mark.parametrize("plan", ENDED_BADLY)
@pytest.mark.parametrize("jobs", [[], [A], [B, C]])
def test_a_plan_that_broke_off_on_the_same_way_hides_nothing(
    plan: PlanState | None, jobs: list[JobKey]
) -> None:
    whole, broken = view("1", COMPLETE, [A, B, C]), view("2", plan, jobs)
    assert stood(broken, whole) == Standing(whole, later=(broken,))


def test_several_that_broke_off_one_after_the_other() -> None:
    whole, first, second = view("1", COMPLETE, [A, B]), view("2", RAISED, [A]), view("3", None, [])
    assert stood(second, first, whole) == Standing(whole, later=(second, first))


@pytest.mark.parametrize("plan", ENDED_BADLY)
def test_one_that_named_as_much_stands_itself(plan: PlanState | None) -> None:
    before, now = view("1", COMPLETE, [A, B]), view("2", plan, [B, A])
    assert stood(now, before) == Standing(now, before=(before,))
    assert [keys for _, keys in stood(now, before).left()] == [[]]


def test_one_that_named_others_stands_and_leaves_what_it_did_not_name() -> None:
    oldest, before = view("1", COMPLETE, [A, B, D]), view("2", RAISED, [B, C])
    now = view("3", PlanState.INTERRUPTED, [D, C])
    found = stood(now, before, oldest)
    assert found == Standing(now, before=(before, oldest))
    assert [(left.run, keys) for left, keys in found.left()] == [("2", [B]), ("1", [A])]


def test_what_was_seen_drifted_is_news() -> None:
    before, now = view("1", COMPLETE, [A, B]), view("2", RAISED, [A], drift="lr 1 → 2")
    assert stood(now, before) == Standing(now, before=(before,))


def test_a_complete_run_that_names_nothing_replaces_what_was() -> None:
    before, now = view("1", COMPLETE, [A, B]), view("2", COMPLETE, [])
    assert stood(now, before) == Standing(now)


def test_a_part_of_a_plan_is_seen_within_the_whole(workspace: WorkspacePaths) -> None:
    make_run(workspace, map(reference, (A, B)), run="20261123-091200-aa")
    make_run(workspace, [reference(A)], run="20261124-091200-aa", plan=PlanState.PARTIAL)
    make_run(workspace, [reference(A)], run="20261125-091200-aa.retry")
    current = read_current(workspace, "drmm")
    assert current is not None
    assert [each.run for each in current.views] == [
        "20261123-091200-aa",
        "20261125-091200-aa.retry",
        "20261124-091200-aa",
    ]
    assert current.standing.view == scan.read_run(workspace, "drmm", "20261123-091200-aa")


def test_a_retry_alone_stands_for_its_experiment(workspace: WorkspacePaths) -> None:
    make_run(workspace, [reference(A)], run="20261125-091200-aa.retry")
    current = read_current(workspace, "drmm")
    assert current is not None
    assert current.view.run == "20261125-091200-aa.retry"
    assert current.retries == ()
