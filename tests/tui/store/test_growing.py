"""A run that goes on is read on: what is known of it is as if it had been read anew."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_tui.store import (
    AllJobsSubject,
    ExperimentSubject,
    Grouping,
    GroupSubject,
    RunKey,
    Store,
)
from xpm_tui.store.columns import AllColumns
from xpm_tui.store.reader import Look, Reader

RUN = RunKey("drmm", "20261123-091200")

JOBS = [
    FakeJob(task, f"{task}{number}", {"lr": lr, "seed": number % 3}, {"seed": number % 3})
    for number, (task, lr) in enumerate(
        [("ir.index", 0.1), ("ir.learn", 0.1), ("ir.learn", 0.1), ("ir.learn", 0.2)] * 3
    )
]

steps = st.lists(st.integers(1, len(JOBS)), min_size=2, max_size=4, unique=True).map(sorted)


def told(store: Store) -> dict[str, object]:
    """What screens ask of the run."""
    index = store.index(RUN)
    assert index is not None
    return {
        "counts": store.counts(ExperimentSubject("drmm")),
        "last": index.last_ended,
        "groups": {by: store.groups(RUN, by) for by in Grouping},
        "listed": [
            store.keys(GroupSubject(RUN, group.key))
            for by in Grouping
            for group in store.groups(RUN, by)
        ],
        "all": store.keys(AllJobsSubject()),
        "counts of all": store.counts(AllJobsSubject()),
        "known": (store.known(), store.known_count),
        "runs": {key: store.runs_of(key) for key in store.known()},
        "jobs": [store.job(key, RUN) for key in index.keys],
        "names": dict(index.names),
    }


def labels(store: Store) -> list[str]:
    index = store.index(RUN)
    assert index is not None
    return [index.label(key) for key in index.keys]


@settings(max_examples=15, deadline=None)
@given(steps, st.booleans())
def test_a_run_that_is_read_on_is_as_one_that_is_read_anew(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], launched: bool
) -> None:
    workspace = FakeWorkspace(tmp_path_factory.mktemp("ws"))
    reader = Reader(workspace.paths)
    store = Store(workspace.paths)
    indexes: set[int] = set()
    for count in counts:
        named = JOBS[:count]
        waits = tuple(Wait(job.key, WaitKind.CORE, place) for place, job in enumerate(named[1:]))
        if launched:
            workspace.done(named[-1], run=str(RUN), ended=2)
        workspace.run("drmm", named, run=RUN.run, waits=waits)
        for delta in reader.read(Look(everything=True)):
            store.apply(delta)
        fresh = Store(workspace.paths)
        for delta in Reader(workspace.paths).read(Look(everything=True)):
            fresh.apply(delta)
        assert told(store) == told(fresh)
        assert len({*zip((job.task for job in named), labels(store), strict=True)}) == count
        indexes.add(id(store.index(RUN)))
        if store.kept.columns is None:
            store.kept.take(AllColumns(store.kept.snapshot(NOON)))
    assert len(indexes) == 1, "it was read on, and not made anew"
    assert store.kept.columns is not None
    missing = {job.key for job in JOBS[: counts[-1]]} - store.kept.columns.places.keys()
    assert missing <= store.kept.changed
