"""The rows of the tree, from the store; no Textual in it.

A row is named by what it shows: (experiment, run, group, job). So folds and the cursor hold over
every refresh. Groups are capped, so that the number of rows is that of what was unfolded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from xpm_engine.workspace.layout import JobKey
from xpm_tui.store import (
    AllJobsSubject,
    EarlierRunsSubject,
    Experiment,
    ExperimentSubject,
    FailedSubject,
    Group,
    Grouping,
    GroupKey,
    GroupSubject,
    Job,
    JobSubject,
    LogSubject,
    ObsoleteSubject,
    RunKey,
    RunSubject,
    Store,
    Stream,
    Subject,
    TrashSubject,
)
from xpm_tui.store.subjects import in_run, run_seen

CAP = 200
"""Jobs shown of a group; the rest is in the table that its last row opens."""


class Part(Enum):
    """Which of the rows that a subject has."""

    WHOLE = "whole"
    LEVEL = "level"
    """One level of a job's progress."""
    MORE = "more"
    """What a group has beyond its cap."""


@dataclass(frozen=True)
class RowKey:
    """The name of a row."""

    subject: Subject
    part: Part = Part.WHOLE
    level: int = 0


@dataclass(frozen=True)
class TreeRow:
    """A row, as far as its place goes; what it says is asked of the store when it is drawn."""

    key: RowKey
    depth: int
    unfolded: bool | None = None
    """None for a row that has nothing inside."""
    label: str = ""
    """Raw text of the user's for experiments, groups and jobs."""
    group: Group | None = None
    more: int = 0
    """How many jobs a `MORE` row stands for."""

    @property
    def subject(self) -> Subject:
        return self.key.subject


Orders: TypeAlias = dict[RowKey, tuple[JobKey, ...]]
"""The jobs of each group that were shown, in their order."""


class TreeModel:
    """Which rows there are, in which order."""

    def __init__(self) -> None:
        self.rows: list[TreeRow] = []
        self.by = Grouping.TASK
        self.unfolded: set[RowKey] = set()
        self.shut: set[RowKey] = set()
        """What was folded while the filter left few jobs, and so would be unfolded."""
        self._few = False
        self._places: dict[RowKey, int] = {}
        self._orders: Orders = {}
        self.greeted: set[str] = set()
        """Experiments that were met before."""
        self._standing: dict[str, RunKey] = {}
        self._moved: dict[RunKey, RunKey] = {}

    def rebuild(self, store: Store, *, keep_order: bool = False) -> None:
        """Make the rows again; with `keep_order` jobs stay where they were in their group."""
        self._unfold_what_runs(store)
        self._follow_runs(store)
        orders = self._orders if keep_order else {}
        self._orders = {}
        self._few = store.wanted is not None and len(store.wanted) <= CAP
        self.rows = list(self._all_rows(store, orders))
        self._places = {row.key: place for place, row in enumerate(self.rows)}

    def fold(self, key: RowKey, *, unfold: bool) -> None:
        """Fold or unfold a row; `rebuild` shows it."""
        (self.unfolded.add if unfold else self.unfolded.discard)(key)
        (self.shut.discard if unfold else self.shut.add)(key)

    def unfold_to(self, store: Store, key: JobKey, run: RunKey) -> RowKey:
        """Unfold what holds a job of a run; the job's row, or the last one of its group beyond it.

        `rebuild` shows it.
        """
        above: list[Subject] = [ExperimentSubject(run.experiment)]
        if not store.is_latest(run):
            above += [EarlierRunsSubject(run.experiment), RunSubject(run)]
        group: Group | None = None
        inside = GroupKey(self.by, ())
        while group is None or group.inner:
            groups = store.groups(run, self.by, inside.path)
            holding = (found for found in groups if key in store.keys(GroupSubject(run, found.key)))
            group = next(holding, None)
            if group is None:
                break
            inside = group.key
            above.append(GroupSubject(run, inside))
        for subject in above:
            self.fold(RowKey(subject), unfold=True)
        whole = GroupSubject(run, inside)
        if key in store.keys(whole)[:CAP]:
            return RowKey(JobSubject(key, run))
        return RowKey(whole, Part.MORE)

    def heir(self, key: RowKey) -> RowKey:
        """The row in whose place this one stood, where another run stands for its experiment now.

        A plan that is run again leaves what one looks at where it is.
        """
        run = run_seen(key.subject)
        if run is None or run not in self._moved:
            return key
        return replace(key, subject=in_run(key.subject, self._moved[run]))

    def _follow_runs(self, store: Store) -> None:
        """What was unfolded of a run is unfolded of the one that takes its place."""
        self._moved = {}
        for experiment in store.experiments():
            before, now = self._standing.get(experiment.name), experiment.latest
            if now is not None:
                self._standing[experiment.name] = now
                if before is not None and before != now:
                    self._moved[before] = now
        if self._moved:
            self.unfolded = set(map(self.heir, self.unfolded))
            self.shut = set(map(self.heir, self.shut))

    def _is_open(self, key: RowKey) -> bool:
        """Of an experiment or a group: a filter that leaves few jobs unfolds what holds them."""
        return key not in self.shut if self._few else key in self.unfolded

    def place(self, key: RowKey) -> int | None:
        """Where a row is; None if it is not shown."""
        return self._places.get(key)

    @property
    def home(self) -> int:
        """Where the cursor is put at first: the first experiment."""
        places = (
            place
            for place, row in enumerate(self.rows)
            if isinstance(row.subject, ExperimentSubject)
        )
        return next(places, 0)

    def parent(self, place: int) -> int | None:
        """Where the row is that this one is inside of; None for one at the top."""
        depth = self.rows[place].depth
        return next(
            (above for above in range(place - 1, -1, -1) if self.rows[above].depth < depth), None
        )

    def _unfold_what_runs(self, store: Store) -> None:
        """An experiment that is met for the first time and runs is unfolded; an only one, too."""
        experiments = store.experiments()
        for experiment in experiments:
            if experiment.name in self.greeted or experiment.view is None:
                continue
            self.greeted.add(experiment.name)
            if experiment.live or len(experiments) == 1:
                self.unfolded.add(RowKey(ExperimentSubject(experiment.name)))

    def _all_rows(self, store: Store, orders: Orders) -> Iterator[TreeRow]:
        if store.empty:
            return
        if store.size(FailedSubject()):
            yield TreeRow(RowKey(FailedSubject()), 0)
        for experiment in store.experiments():
            if store.wanted is None or store.size(ExperimentSubject(experiment.name)):
                yield from self._experiment_rows(store, experiment, orders)
        yield TreeRow(RowKey(AllJobsSubject()), 0)
        if store.obsolete is not None and store.obsolete.rows:
            yield TreeRow(RowKey(ObsoleteSubject()), 0)
        if store.trash or store.purged:
            yield TreeRow(RowKey(TrashSubject()), 0)

    def _experiment_rows(
        self, store: Store, experiment: Experiment, orders: Orders
    ) -> Iterator[TreeRow]:
        key = RowKey(ExperimentSubject(experiment.name))
        unfolded = self._is_open(key)
        yield TreeRow(key, 0, unfolded, experiment.name)
        if not unfolded or experiment.latest is None:
            return
        yield from self._run_rows(store, experiment.latest, 1, orders)
        if not experiment.earlier or store.wanted is not None:
            return
        key = RowKey(EarlierRunsSubject(experiment.name))
        unfolded = key in self.unfolded
        yield TreeRow(key, 1, unfolded)
        for run in experiment.earlier[:CAP] if unfolded else ():
            key = RowKey(RunSubject(run))
            yield TreeRow(key, 2, key in self.unfolded, run.run)
            if key in self.unfolded:
                yield from self._run_rows(store, run, 3, orders)

    def _run_rows(self, store: Store, run: RunKey, depth: int, orders: Orders) -> Iterator[TreeRow]:
        groups = store.groups(run, self.by)
        for group in groups:
            yield from self._group_rows(store, group, depth, orders)
        if not groups:
            yield from self._job_rows(store, run, GroupKey(self.by, ()), depth, orders)

    def _group_rows(
        self, store: Store, group: Group, depth: int, orders: Orders
    ) -> Iterator[TreeRow]:
        key = RowKey(GroupSubject(group.run, group.key))
        unfolded = self._is_open(key)
        inside: Iterable[TreeRow] = ()
        if unfolded and group.inner:
            inside = self._inner_rows(store, group, depth + 1, orders)
        elif unfolded:
            inside = self._job_rows(store, group.run, group.key, depth + 1, orders)
        yield TreeRow(key, depth, unfolded, group.label, group)
        yield from inside

    def _inner_rows(
        self, store: Store, group: Group, depth: int, orders: Orders
    ) -> Iterator[TreeRow]:
        for inner in store.groups(group.run, self.by, group.key.path):
            yield from self._group_rows(store, inner, depth, orders)

    def _job_rows(
        self, store: Store, run: RunKey, group: GroupKey, depth: int, orders: Orders
    ) -> Iterator[TreeRow]:
        subject = GroupSubject(run, group)
        more = RowKey(subject, Part.MORE)
        keys = store.keys(subject)
        shown = _kept(orders[more], keys) if more in orders else tuple(keys[:CAP])
        self._orders[more] = shown
        for job_key in shown:
            job = store.job(job_key, run)
            key = RowKey(JobSubject(job_key, run))
            unfolded = key in self.unfolded if job.record.attempt else None
            label = store.label(job) if group.by is Grouping.TASK else store.title(job)
            yield TreeRow(key, depth, unfolded, label)
            if unfolded:
                yield from _inside(job, depth + 1)
        if len(keys) > len(shown):
            yield TreeRow(more, depth, more=len(keys) - len(shown))


def _inside(job: Job, depth: int) -> Iterator[TreeRow]:
    """The progress levels of a job, each one step further in, and its logs."""
    subject = JobSubject(job.key, job.run)
    progress = job.record.progress
    for level in range(len(progress.levels) if progress else 0):
        yield TreeRow(RowKey(subject, Part.LEVEL, level), depth + level)
    for stream in Stream:
        yield TreeRow(RowKey(LogSubject(job.key, job.run, stream)), depth)


def _kept(before: Sequence[JobKey], now: Sequence[JobKey]) -> tuple[JobKey, ...]:
    """The order of before; those that came are last, as far as there is room."""
    members = set(now)
    stayed = [key for key in before if key in members]
    known = set(stayed)
    came = [key for key in now if key not in known]
    return tuple([*stayed, *came][:CAP])
