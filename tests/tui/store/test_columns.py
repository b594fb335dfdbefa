"""Columns of all jobs tell what a look at each job tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace, dead_process
from xpm_engine.filters import ABSENT, Column, RowTable, coded, compile_filter
from xpm_engine.filters.columns import is_nan
from xpm_engine.verbs.cleaning.pins import pin
from xpm_engine.verbs.jobs.columns import OFFERED
from xpm_engine.verbs.jobs.facts import JobFacts, SeenJob
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import PlanState
from xpm_tui import clock
from xpm_tui.filtering.facts import FilterFacts
from xpm_tui.filtering.job_filter import JobFilter
from xpm_tui.store import (
    AllJobsSubject,
    ExperimentSubject,
    Grouping,
    GroupSubject,
    RunKey,
    RunSubject,
    Store,
)
from xpm_tui.store.columns import AllColumns
from xpm_tui.store.ranking import ranking
from xpm_tui.store.reader import Look, Reader
from xpm_tui.widgets.jobs.columns import possible_columns

Jobs = dict[str, FakeJob]

NAMES = (*OFFERED, "tag.lr", "tag.stem", "param.trainer.optimizer.lr", "param.seed", "metric.mrr")

FILTERS = (
    "state:failed",
    "lr>0.01",
    "lr>0.005 -seed:2",
    "seed:2..3 or task:old",
    "mrr>=0.31",
    "is:live",
    "is:reused or is:drifted",
    "exp=drmm time>5m",
    "reason~memory",
    "cause:train.py",
    "evaluate",
    "is:marked",
    "needs:index",
    "neededby=drmm",
    "neededby:learn not needs:none",
    "needs~ind.x -neededby:drmm",
    "size>1",
    "launcher:local or launcher:none",
    "is:pinned -is:mine",
    "nothing:here",
)


@pytest.fixture
def store(workspace: FakeWorkspace, jobs: Jobs) -> Store:
    loose = FakeJob("ir.loose", "x", {"lr": 0.5}, {"seed": 9})
    workspace.done(loose, run="gone/20261101-000000", ended=40)
    workspace.run(
        "drmm",
        [jobs["index i0"], jobs["learn lr=0.1 seed=1"]],
        run="20261119-101500",
        plan=PlanState.COMPLETE,
        driver=dead_process(),
        drift={jobs["index i0"].key: ("depth 1 → 2",)},
    )
    pin(workspace.paths, [jobs["index i0"].key, loose.key])
    return store_of(workspace)


def store_of(workspace: FakeWorkspace) -> Store:
    found = Store(workspace.paths)
    for delta in Reader(workspace.paths).read(Look(everything=True)):
        found.apply(delta)
    return found


def facts_of(store: Store, keys: Sequence[JobKey]) -> list[JobFacts[SeenJob]]:
    """Job by job, and who is made from whom told apart from any column."""
    needing: dict[JobKey, list[JobKey]] = {}
    for key in store.known():
        for upstream in store.job(key, store.home_of(key)).dependencies:
            needing.setdefault(upstream, []).append(key)
    facts = FilterFacts(store, lambda: NOON)
    return [facts.of_job(key, needing.get(key, ())) for key in keys]


def cells(column: Column | None, rows: int) -> list[object]:
    assert column is not None
    found = list(column.cells())
    assert len(found) == rows
    # NaN is what a numeric column says for none, and equals nothing; the order of several values
    # says nothing.
    return [
        None if is_nan(cell) else frozenset(cell) if isinstance(cell, tuple) else cell
        for cell in found
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_column_is_made_of_what_the_jobs_tell(store: Store, name: str) -> None:
    narrowing = JobFilter(store, clock=lambda: NOON)
    columns = AllColumns(store.kept.snapshot(NOON))
    facts = facts_of(store, columns.keys)
    rows = RowTable(facts, narrowing._getters())  # pyright: ignore[reportPrivateUsage]
    told, expected = columns.column(name), rows.column(name)
    assert cells(told, columns.rows) == cells(expected, rows.rows)
    assert name in columns.names()


def asked(
    store: Store, text: str, *, at_once: bool, marks: frozenset[JobKey] = frozenset()
) -> tuple[frozenset[JobKey], bool]:
    narrowing = JobFilter(store, clock=lambda: NOON)
    narrowing.mark(marks)
    narrowing.type(text)
    work = narrowing.work()
    assert work is not None
    if not at_once:
        facts = facts_of(store, store.known())
        table = RowTable(facts, narrowing._getters())  # pyright: ignore[reportPrivateUsage]
        selection = compile_filter(text, now=NOON).select(table)
        return frozenset(found.job.key for found in selection.of(facts)), bool(selection.faults)
    answer = work.run()
    assert narrowing.take(answer)
    assert store.wanted == answer.keys
    return frozenset(answer.keys), bool(answer.faults)


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_selects_by_columns_what_it_selects_job_by_job(store: Store, text: str) -> None:
    marks = frozenset(store.known()[::3])
    quick = asked(store, text, at_once=True, marks=marks)
    assert quick == asked(store, text, at_once=False, marks=marks)


@pytest.mark.parametrize("text", [text for text in FILTERS if "size" not in text])
def test_jobs_that_changed_are_asked_apart(
    store: Store, workspace: FakeWorkspace, jobs: Jobs, text: str
) -> None:
    reader = Reader(workspace.paths)
    list(reader.read(Look(everything=True)))
    narrowing = JobFilter(store, clock=lambda: NOON)
    narrowing.type(text)
    first = narrowing.work()
    assert first is not None
    narrowing.take(first.run())
    workspace.failed(jobs["learn lr=0.01 seed=1"], run="drmm/20261123-091200", ended=2)
    workspace.done(jobs["learn lr=0.01 seed=2"], run="drmm/20261123-091200", ended=2)
    workspace.launch(FakeJob("ir.new", "n", {"lr": 3.0, "fresh": True}))
    for delta in reader.read(Look(everything=True)):
        narrowing.note(store.apply(delta))
    work = narrowing.work()
    if work is not None:
        assert (work.asked is None) is text.startswith("nothing") or work.columns is None
        narrowing.take(work.run())
    expected, _ = asked(store_of(workspace), text, at_once=False)
    assert store.wanted == expected


def test_narrowed_counts_are_those_of_the_jobs(store: Store) -> None:
    narrowing = JobFilter(store, clock=lambda: NOON)
    narrowing.type("lr>0.005")
    work = narrowing.work()
    assert work is not None
    narrowing.take(work.run())
    for experiment in store.experiments():
        subject = ExperimentSubject(experiment.name)
        counted = Counter(job.state for job in store.jobs(subject))
        assert dict(store.counts(subject).of) == counted
        assert experiment.latest is not None
        for by in (Grouping.TASK, Grouping.STATE, Grouping.TAG):
            for group in store.groups(experiment.latest, by):
                inside = GroupSubject(experiment.latest, group.key)
                assert group.counts.of == Counter(job.state for job in store.jobs(inside))


def test_a_text_is_not_found_in_a_tag_that_a_job_lacks() -> None:
    assert coded([0.1, ABSENT]).shown == ["0.1", None]
    assert coded(["BM25", ABSENT, None]).shown == ["bm25", None, "none"]
    assert coded([("a", "b"), ABSENT]).shown is None


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("changed", [False, True])
def test_tables_are_sorted_by_columns_as_job_by_job(
    store: Store,
    workspace: FakeWorkspace,
    jobs: Jobs,
    monkeypatch: pytest.MonkeyPatch,
    *,
    reverse: bool,
    changed: bool,
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    reader = Reader(workspace.paths)
    list(reader.read(Look(everything=True)))
    kept = store.kept
    earlier = RunSubject(RunKey("drmm", "20261119-101500"))
    subjects = (AllJobsSubject(), ExperimentSubject("drmm"), earlier)
    assert store.jobs(subjects[0]).ranks("state", lambda job: 0, reverse=False) is not None
    kept.take(AllColumns(kept.snapshot(NOON)))
    if changed:
        workspace.failed(jobs["learn lr=0.01 seed=1"], run="drmm/20261123-091200", ended=2)
        workspace.done(jobs["learn lr=0.01 seed=2"], run="drmm/20261123-091200", ended=2)
        for delta in reader.read(Look(everything=True)):
            store.apply(delta)
        assert kept.columns is not None
        assert kept.changed
    for subject in subjects:
        listed = store.jobs(subject)
        columns, _ = possible_columns(listed)
        assert {"state", "time", "note", "id", "lr", "seed", "mrr", "host"} <= {
            column.title for column in (*columns, *possible_columns(store.jobs(subjects[0]))[0])
        }
        run = store.run_of(subject)
        for column in columns:
            assert column.order is not None
            assert column.by
            ranks = kept.ranks(
                listed.keys,
                column.by,
                column.order,
                reverse=reverse,
                run=run,
                job_of=lambda key, run=run: store.job(key, run or store.home_of(key)),
            )
            assert ranks is not None
            expected = ranking(list(map(column.order, listed)), reverse=reverse)
            assert order_of(ranks) == order_of(expected), column.title


def order_of(ranks: Sequence[float]) -> list[int]:
    return sorted(range(len(ranks)), key=ranks.__getitem__)
