"""What is obsolete, and above all what is not: the cases that cost people their results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from tests.engine.folders import key
from tests.engine.histories import job, line, run, unreadable_run
from xpm_engine.workspace.cleaning.needs import NeedKind
from xpm_engine.workspace.index import JobRow, PackedReferences, Records, pack_job
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.obsolete import Obsolete, ObsoleteReason, Survey, survey
from xpm_engine.workspace.recompute import Cost, Costs, cost_again
from xpm_engine.workspace.records.runs import Manifest, PlanState, Reference, RunKind
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord

A, B, C, D = (key(number) for number in range(1, 5))
UNCLOSED = "jobs.jsonl ends without its closing line"
FIRST = run(1, [line(A, lr=0.5), line(B, lr=1.0)])


def records(*found: JobRecord) -> dict[JobKey, JobRecord]:
    return {record.key: record for record in found}


def reasons(found: Survey) -> dict[JobKey, ObsoleteReason]:
    return {item.key: item.reason for item in found.obsolete if not item.attempt}


def only(found: Survey) -> Obsolete:
    (item,) = found.obsolete
    return item


def test_a_later_complete_run_replaces() -> None:
    second = run(2, [line(A, lr=0.5)], commit="1f2e3d4c")
    item = only(survey([second, FIRST], records(job(A), job(B))))
    assert (item.key, item.reason, item.needs) == (B, ObsoleteReason.REPLACED, ())
    assert item.replacement is not None
    assert item.replacement.run == f"drmm/{second.run}"
    assert item.replacement.commit == "1f2e3d4c"
    assert list(map(str, item.replacement.left)) == ["lr 1 → 0.5"]
    assert not item.ticked


@pytest.mark.parametrize(
    "plan", [plan for plan in PlanState if plan is not PlanState.COMPLETE], ids=lambda p: p.value
)
def test_a_partial_plan_orphans_nothing(plan: PlanState) -> None:
    later = run(2, [line(A)], plan=plan, ended=True)
    assert reasons(survey([FIRST, later], records(job(A), job(B)))) == {}


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED])
def test_a_run_that_goes_on_keeps_its_jobs_though_a_later_one_is_complete(state: JobState) -> None:
    live = run(1, [line(A), line(B)], plan=PlanState.RUNNING)
    found = survey([live, run(2, [line(A)])], records(job(A), job(B, state)))
    assert found.obsolete == ()
    assert [need.kind for need in found.needs(B)] == [NeedKind.RUN]


def test_a_selection_orphans_nothing() -> None:
    later = run(2, [line(A)], selection="task:bm25")
    assert reasons(survey([FIRST, later], records(job(A), job(B)))) == {}


def test_a_retry_replaces_nothing() -> None:
    later = run(2, [line(A)], kind=RunKind.RETRY)
    assert reasons(survey([FIRST, later], records(job(A), job(B)))) == {}


def test_an_older_complete_run_replaces_nothing() -> None:
    later = run(2, [line(A), line(B)])
    assert reasons(survey([later, run(1, [line(A)])], records(job(A), job(B)))) == {}


def test_seed_2_leaves_seed_1_alone() -> None:
    first = run(1, [line(A)], arguments={"seed": "1"})
    second = run(2, [line(B)], arguments={"seed": "2"})
    assert reasons(survey([first, second], records(job(A), job(B)))) == {}


def test_another_experiment_of_the_same_file_leaves_it_alone() -> None:
    other = run(2, [line(B)], experiment="ablation")
    assert reasons(survey([FIRST, other], records(job(A), job(B)))) == {}


def test_a_truncated_manifest_stops_all_retiring() -> None:
    broken = run(1, [line(C)], experiment="ablation", ended=False)
    jobs = records(job(A), job(B), job(C), job(D), job(key(9), JobState.FAILED))
    found = survey([FIRST, run(2, [line(A)]), broken], jobs)
    assert reasons(found) == dict.fromkeys((B, D, key(9)), ObsoleteReason.CANNOT_TELL)
    for item in found.obsolete:
        assert not item.free
        assert item.problem == f"run ablation/{broken.run}: {UNCLOSED}"
    assert found.blockers == (found.obsolete[0].problem,)


def test_a_damaged_line_of_a_run_that_goes_on_stops_all_retiring() -> None:
    live = run(3, [line(C)], plan=PlanState.RUNNING, damage=("line 1: truncated or no JSON",))
    found = survey([FIRST, run(2, [line(A)]), live], records(job(A), job(B)))
    assert reasons(found) == {B: ObsoleteReason.CANNOT_TELL}
    assert "line 1" in found.obsolete[0].problem


def test_an_unreadable_run_stops_all_retiring_and_keeps_what_it_names() -> None:
    runs = [FIRST, run(2, [line(A)]), unreadable_run(3, [line(D)])]
    found = survey(runs, records(job(B), job(D)))
    assert reasons(found) == {B: ObsoleteReason.CANNOT_TELL}
    assert "run.json" in found.obsolete[0].problem


def test_a_crashed_run_stops_retiring_until_a_complete_one_takes_its_place() -> None:
    crashed = run(2, [line(B)], plan=PlanState.CRASHED)
    jobs = records(job(A), job(B), job(C))
    assert reasons(survey([FIRST, crashed], jobs)) == {C: ObsoleteReason.CANNOT_TELL}
    found = survey([FIRST, crashed, run(3, [line(A)])], jobs)
    assert reasons(found) == {B: ObsoleteReason.REPLACED, C: ObsoleteReason.IN_NO_RUN}
    damaged = replace(crashed, manifest=replace(crashed.manifest, damage=("line 1: no",)))
    blocked = survey([FIRST, damaged, run(3, [line(A)])], jobs)
    assert set(reasons(blocked).values()) == {ObsoleteReason.CANNOT_TELL}


def test_a_run_that_goes_on_keeps_what_it_names() -> None:
    live = run(3, [line(B)], plan=PlanState.RUNNING)
    found = survey([FIRST, run(2, [line(A)]), live], records(job(A), job(B)))
    assert reasons(found) == {}
    assert [(need.kind, need.live) for need in found.needs(B)] == [(NeedKind.RUN, True)]


@pytest.mark.parametrize("state", [state for state in JobState if state.live])
def test_a_running_job_survives(state: JobState) -> None:
    assert reasons(survey([FIRST, run(2, [])], records(job(A, state)))) == {}


def test_what_a_kept_job_was_made_from_is_needed_at_any_depth() -> None:
    chain = [job(A), job(B, dependencies=[A]), job(C, dependencies=[B])]
    found = survey([FIRST, run(2, [line(C)])], records(*chain))
    needs = {item.key: [need.job for need in item.needs] for item in found.obsolete}
    assert needs == {A: [B], B: [C]}
    assert not any(item.free for item in found.obsolete)


def test_another_scope_that_still_uses_it_is_named() -> None:
    other = run(1, [line(B)], experiment="ablation")
    item = only(survey([FIRST, run(2, [line(A)]), other], records(job(A), job(B))))
    assert item.reason is ObsoleteReason.REPLACED
    assert [need.name for need in item.needs] == [f"ablation/{other.run}"]


def test_a_pin_protects_a_job_and_what_it_was_made_from() -> None:
    found = survey([run(1, [])], records(job(A), job(B, dependencies=[A])), pinned={B})
    needs = {item.key: [need.kind for need in item.needs] for item in found.obsolete}
    assert needs == {A: [NeedKind.JOB], B: [NeedKind.PIN]}


def test_a_new_name_protects_the_result_that_it_adopted() -> None:
    jobs = records(job(A), job(B, alias=A))
    (item,) = survey([run(1, [line(B)])], jobs).obsolete
    assert (item.key, [need.kind for need in item.needs]) == (A, [NeedKind.ALIAS])
    assert reasons(survey([run(1, [line(B, alias=A)])], jobs)) == {}


def test_a_failed_job_of_no_current_run_is_ticked() -> None:
    failed = job(B, JobState.FAILED)
    found = survey([FIRST, run(2, [line(A)])], records(job(A), failed))
    assert (only(found).reason, only(found).ticked) == (ObsoleteReason.FAILED, True)
    assert reasons(survey([FIRST], records(failed))) == {}
    assert reasons(survey([], records(failed))) == {B: ObsoleteReason.FAILED}


def test_what_cant_be_read_may_need_anything_but_a_failure() -> None:
    jobs = records(job(A), job(B, JobState.UNREADABLE), job(C, JobState.FAILED))
    found = reasons(survey([], jobs))
    cannot = ObsoleteReason.CANNOT_TELL
    assert found == {A: cannot, B: cannot, C: ObsoleteReason.FAILED}
    known = reasons(survey([run(1, [line(B, dependencies=[D])])], jobs))
    assert known == {A: ObsoleteReason.IN_NO_RUN, B: cannot, C: ObsoleteReason.FAILED}


def test_leftovers_of_a_job_that_stays() -> None:
    jobs = records(job(A, attempt=3), job(B, JobState.RUNNING, attempt=2))
    found = survey([FIRST], jobs, leftovers={A: (1, 2, 3), B: (1,)})
    assert [(item.key, item.attempt, item.ticked) for item in found.obsolete] == [
        (A, 1, True),
        (A, 2, True),
    ]
    (item, _) = survey([FIRST], jobs, leftovers={A: (1, 2)}, pinned={A}).obsolete
    assert not item.ticked


@pytest.mark.parametrize(
    ("later", "left"),
    [
        ([line(A, lr=0.1), line(C, lr=0.2)], ["lr 1"]),
        ([line(A, lr=1.0), line(C, lr=0.2)], []),
        ([line(key(1, "ir.other"), lr=0.1)], []),
    ],
)
def test_the_values_that_left(later: Iterable[Reference], left: list[str]) -> None:
    second = run(2, later)
    found = {item.key: item for item in survey([FIRST, second], records(job(B))).obsolete}
    replacement = found[B].replacement
    assert replacement is not None
    assert list(map(str, replacement.left)) == left
    assert replacement.task_left == (not left and "other" in str(later))


def test_what_it_takes_to_get_it_back() -> None:
    jobs: Mapping[JobKey, JobRecord] = records(
        job(B, seconds=5, dependencies=[A]),
        job(C, seconds=10, dependencies=[B]),
        job(D, JobState.FAILED, dependencies=[B]),
    )
    found = survey([], jobs)
    assert cost_again(found, [C]) == Cost(10)
    assert cost_again(found, [B]) == Cost(5, unknown=1)
    assert cost_again(found, [B, C]) == Cost(15, unknown=1)
    assert cost_again(found, [D]).nothing


def test_of_a_job_that_can_not_be_read_nobody_says_that_nothing_is_lost() -> None:
    found = survey([], records(job(A, JobState.UNREADABLE), job(D, JobState.FAILED)))
    assert cost_again(found, [A, D]) == Cost(0, unknown=1)


def test_what_jobs_cost_is_the_same_of_packed_rows_and_asked_one_by_one_first() -> None:
    ended = "2026-11-23T05:52:01.123456Z"
    known = (
        replace(job(A, JobState.FAILED), ended=ended),
        replace(job(B, seconds=5, dependencies=[A]), ended=ended),
        replace(job(C, seconds=10, dependencies=[A, B]), ended=ended),
        replace(job(D), usage=None, ended=ended),
    )
    rows = Records({each.key: pack_job(each) for each in known})
    assert all(isinstance(row, bytes) for row in rows.rows.values())
    costs = Costs(survey([], rows))
    alone = [costs.of([key]) for key in (A, B, C, D)]
    assert alone == [Cost(), Cost(5, unknown=1), Cost(10, unknown=1), Cost(0, unknown=1)]
    assert costs.of([A, B, C, D, B]) == Cost(15, unknown=2)
    assert cost_again(survey([], records(*known)), [A, B, C, D]) == Cost(15, unknown=2)


def test_100_000_jobs_of_two_runs_are_surveyed() -> None:
    count = 100_000
    packed = pack_job(replace(job(A), ended="2026-11-23T05:52:01.123456Z"))
    assert isinstance(packed, bytes)
    keys = [key(number) for number in range(count)]
    rows: dict[JobKey, JobRow] = dict.fromkeys(keys, packed)
    lines = PackedReferences.of([line(A)]).rows
    first = replace(run(1, []), manifest=Manifest(PackedReferences(keys, lines * count), True))
    half = PackedReferences(keys[::2], lines * (count // 2))
    second = replace(run(2, []), manifest=Manifest(half, True))
    found = survey([first, second], Records(rows))
    assert {item.key for item in found.obsolete} == set(keys[1::2])
    assert all(item.reason is ObsoleteReason.REPLACED and item.free for item in found.obsolete)
