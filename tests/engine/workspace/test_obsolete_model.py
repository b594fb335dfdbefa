"""Random histories: what is obsolete agrees with a plain statement of the rules.

The statement asks of each job alone, run by run, and follows needs by going round until nothing
changes; it shares no code with the survey.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from tests.engine.folders import key
from tests.engine.histories import job, line, run
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.obsolete import survey
from xpm_engine.workspace.records.runs import PlanState, Reference, RunKind
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord, RunView

KEYS = tuple(key(number) for number in range(6))
STATES = (JobState.DONE, JobState.DONE, JobState.FAILED, JobState.RUNNING, JobState.UNREADABLE)


@dataclass(frozen=True)
class Past:
    """A drawn history."""

    runs: tuple[RunView, ...]
    jobs: Mapping[JobKey, JobRecord]
    pinned: frozenset[JobKey]


@st.composite
def lines(draw: st.DrawFn) -> list[Reference]:
    """What a run references; each job is made from jobs of smaller numbers, always the same."""
    chosen = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=5))
    return [line(name, dependencies=UPSTREAM[name]) for name in chosen]


UPSTREAM = {name: KEYS[place - 1 : place] if place % 3 else () for place, name in enumerate(KEYS)}


@st.composite
def pasts(draw: st.DrawFn) -> Past:
    runs: list[RunView] = []
    for number in range(draw(st.integers(0, 6))):
        plan = draw(st.sampled_from((PlanState.COMPLETE, PlanState.COMPLETE, *PlanState)))
        whole = draw(st.integers(0, 12)) > 0
        ended = whole and plan not in (PlanState.RUNNING, PlanState.CRASHED)
        runs.append(
            run(
                number,
                draw(lines()),
                plan=plan,
                ended=ended,
                experiment=draw(st.sampled_from(("drmm", "drmm", "ablation"))),
                arguments={"seed": draw(st.sampled_from("112"))},
                kind=draw(st.sampled_from((RunKind.PLAN, RunKind.PLAN, RunKind.RETRY))),
                selection=draw(st.sampled_from((None, None, None, "task:bm25"))),
            )
        )
    jobs: dict[JobKey, JobRecord] = {}
    for name in draw(st.lists(st.sampled_from(KEYS), unique=True)):
        state = draw(st.sampled_from(STATES))
        known = () if state is JobState.UNREADABLE else UPSTREAM[name]
        jobs[name] = job(name, state, dependencies=known)
    pinned = draw(st.frozensets(st.sampled_from(KEYS), max_size=1)) & frozenset(jobs)
    return Past(tuple(draw(st.permutations(runs))), jobs, pinned)


def replaced_by(later: RunView, earlier: RunView) -> bool:
    """Whether a run takes the place of another."""
    a, b = later.record, earlier.record
    assert a is not None
    assert b is not None
    same = (a.experiment, a.scope) == (b.experiment, b.scope) and a.started > b.started
    whole = later.plan is PlanState.COMPLETE and later.manifest.ended
    return same and whole and a.kind is RunKind.PLAN and a.selection is None


def is_replaced(past: Past, one: RunView) -> bool:
    return any(replaced_by(other, one) for other in past.runs)


def names(one: RunView) -> set[JobKey]:
    return {item.key for item in one.manifest.references}


def somebody_is_silent(past: Past) -> bool:
    """Whether a manifest lacks its end for ever; a crashed run that was replaced may."""
    return any(
        not one.manifest.ended
        and one.plan is not PlanState.RUNNING
        and not (one.plan is PlanState.CRASHED and is_replaced(past, one))
        for one in past.runs
    )


def needed(past: Past) -> set[JobKey]:
    """The jobs that must stay."""
    found = set(past.pinned)
    for one in past.runs:
        if one.live or not is_replaced(past, one):
            found |= names(one)
    found |= {name for name, record in past.jobs.items() if record.state.live}
    named = set[JobKey]().union(*map(names, past.runs))
    found |= {n for n, r in past.jobs.items() if r.state is JobState.UNREADABLE and n in named}
    while True:
        more = found | {above for name in found for above in UPSTREAM[name] if _knows(past, name)}
        if more == found:
            return found
        found = more


def _knows(past: Past, name: JobKey) -> bool:
    """Whether anything that can be read says what a job is made from."""
    record = past.jobs.get(name)
    readable = record is not None and record.state is not JobState.UNREADABLE
    return readable or any(name in names(one) for one in past.runs)


def nobody_knows_upstream(past: Past) -> bool:
    return any(
        record.state is JobState.UNREADABLE and not any(name in names(one) for one in past.runs)
        for name, record in past.jobs.items()
    )


def naive_free(past: Past) -> set[JobKey]:
    """What may be offered without a warning."""
    if somebody_is_silent(past):
        return set()
    free: set[JobKey] = set()
    for name, record in past.jobs.items():
        if name in needed(past) or record.state is JobState.UNREADABLE:
            continue
        if record.state is JobState.FAILED or not nobody_knows_upstream(past):
            free.add(name)
    return free


@given(pasts())
def test_what_is_offered_is_what_nobody_needs(past: Past) -> None:
    found = survey(past.runs, past.jobs, pinned=past.pinned)
    assert {item.key for item in found.obsolete if item.free} == naive_free(past)
    must_stay = needed(past)
    for name in past.jobs:
        assert bool(found.needs(name)) == (name in must_stay) or (
            past.jobs[name].state is JobState.UNREADABLE
        )


@given(pasts())
def test_an_unfinished_run_makes_nothing_obsolete(past: Past) -> None:
    found = survey(past.runs, past.jobs, pinned=past.pinned)
    before = {item.key for item in found.obsolete if item.free}
    for plan in PlanState:
        if plan is PlanState.COMPLETE:
            continue
        later = run(99, [], plan=plan)
        after = survey([*past.runs, later], past.jobs, pinned=past.pinned)
        assert {item.key for item in after.obsolete if item.free} <= before
