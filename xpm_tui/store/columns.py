"""All jobs as columns, with what the app's filter and tables ask besides, and how new they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, count
from typing import TYPE_CHECKING

from xpm_engine.filters import Cell, Column, coded
from xpm_engine.verbs.jobs.columns import JobColumns
from xpm_engine.verbs.jobs.snapshots import STATES, Sizes, Snapshot
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.runs import How
from xpm_engine.workspace.records.states import JobState
from xpm_tui import clock
from xpm_tui.store.labels import task_names
from xpm_tui.store.model import RANK, Changed, Job
from xpm_tui.store.ranking import ranking
from xpm_tui.store.rows import Order
from xpm_tui.store.run_index import RunIndex
from xpm_tui.store.selected import Roll
from xpm_tui.store.subjects import RunKey

if TYPE_CHECKING:
    from xpm_tui.store.found import Found

MOST_CHANGED = 500
"""Jobs that may be asked apart from the columns before these are made again."""

_RANKS = [RANK[state] for state in STATES]


class AllColumns(JobColumns):
    """All jobs as columns."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self.roll = Roll(self.keys, self.places)
        self._ranked: dict[tuple[str, bool], Sequence[float]] = {}
        self._listed: tuple[Sequence[JobKey], Sequence[int]] | None = None

    def warm(self) -> None:
        super().warm()
        for by in ("id", "state", "task", "note"):
            self.ranks(self.keys[:1], by, (), reverse=False)
        # The tree counts the jobs of every experiment with the first letter of a filter.
        for seen in self.snapshot.runs:
            if seen.latest:
                self.roll.learn(seen.lines.keys)

    def ranks(
        self, keys: Sequence[JobKey], by: str, apart: Sequence[object], *, reverse: bool
    ) -> tuple[Sequence[float], Sequence[float]] | None:
        """A number for each of the keys to sort by, and one for each of the values `apart`.

        None if there is no such column. A key that has no row here gets any number.
        """
        known = None if apart else self._ranked.get((by, reverse))
        others: Sequence[float] = ()
        if known is None:
            column = self._sortable(by)
            if column is None:
                return None
            values = [None if value == () else value for value in column.values]
            ranked = ranking([*values, *apart], reverse=reverse)
            others = ranked[len(values) :]
            codes = column.codes
            known = ranked if codes is None else list(map(ranked.__getitem__, codes))
            if not apart and by != "time":
                self._ranked[by, reverse] = known
        if keys is self.keys:
            return known, others
        return list(map(known.__getitem__, self._places_of(keys))), others

    def _places_of(self, keys: Sequence[JobKey]) -> Sequence[int]:
        """Where these stand; the same list is sorted by one column after another."""
        if self._listed is None or self._listed[0] is not keys:
            find = self.places.get
            self._listed = (keys, [find(key, 0) for key in keys])
        return self._listed[1]

    def sees_in(self, run: RunKey) -> bool:
        """Whether all jobs of a run are seen in the light of that run."""
        for number, seen in enumerate(self.snapshot.runs):
            if (seen.experiment, seen.run) == (run.experiment, run.run):
                return self.light.count(number) == len(seen.lines.keys)
        return False

    def _sortable(self, by: str) -> Column | None:
        """The column that says what its jobs are sorted by, and no more than one value of each."""
        match by:
            case "state":
                return Column(_RANKS, bytes(self.codes), numeric=True)
            case "time":
                return Column(self.seconds(clock.now()), numeric=True)
            case "task":
                names = task_names(dict.fromkeys(key.task for key in self.keys))
                return coded([names[key.task] for key in self.keys])
            case _:
                return self.column(by)

    def _make(self, name: str) -> Column | None:
        return coded(self._notes()) if name == "note" else super()._make(name)

    def _notes(self) -> list[Cell]:
        """What is said of each job beside its state; most have nothing to say, or one word."""
        # Words need rich, which `xpm-tui --help` does without.
        from xpm_tui.look.notes import note_words

        reused = self.reused
        cells: list[Cell] = [
            "reused" if again and code == _DONE else None
            for again, code in zip(reused, self.codes, strict=True)
        ]
        asked = self.talking | {place for place, code in enumerate(self.codes) if _TOLD[code]}
        for place in asked:
            key = self.keys[place]
            words = note_words(
                STATES[self.codes[place]],
                self.record(place),
                wait=self.waits.get(place),
                drift=("drifted",) if self.drifted[place] else (),
                how=How.REUSED if reused[place] else None,
                trashed=key in self.snapshot.trashed,
                now=clock.now(),
            )
            cells[place] = words or None
        return cells


@dataclass(frozen=True)
class _Made:
    """A run as columns were made from it."""

    index: RunIndex
    count: int
    """The jobs that it had."""
    waits: Mapping[JobKey, Wait]


def _index_of(made: _Made | None) -> RunIndex | None:
    return None if made is None else made.index


class KeptColumns:
    """The columns of a workspace as they were made last, and what is not as they say any more.

    They are made from `snapshot`, in a thread where there are many jobs, and handed to `take`.
    """

    def __init__(self, found: Found) -> None:
        self.columns: AllColumns | None = None
        """None while there are none, or if they are too old."""
        self.changed: set[JobKey] = set()
        """The jobs that are not as the columns say, or will say when they are made."""
        self._found = found
        self._snapshot: Snapshot | None = None
        """What columns are being made from."""
        self._sizes: Sizes = {}
        self._made_from: dict[RunKey, _Made] = {}
        """The runs that the columns were made from."""
        self._of_run: tuple[RunIndex, int, AllColumns] | None = None

    def note(self, changed: Changed) -> None:
        """Jobs and runs are not as they were."""
        if self.columns is None and self._snapshot is None:
            return
        if changed.experiments or any(
            self._found.index(run) is not _index_of(self._made_from.get(run))
            for run in changed.runs
        ):
            # Other jobs, or the same in another light.
            self.forget()
            return
        self.changed |= self.touched(changed)
        if len(self.changed) > MOST_CHANGED:
            self.forget()

    def touched(self, changed: Changed) -> set[JobKey]:
        """The jobs of which something may be told that is different now."""
        found, columns = self._found, self.columns
        keys = set(changed.jobs)
        for run in changed.runs:
            index = found.index(run)
            if index is None:
                continue
            made = self._made_from.get(run)
            if made is None or made.index is not index:
                keys.update(index.waits)
                continue
            waits = {*made.waits.items()} ^ {*index.waits.items()}
            keys.update(key for key, _ in waits)
            for key in index.keys[made.count :]:
                # It is named since: by it, what it is made from is needed.
                keys.add(key)
                keys.update(index.references[key].dependencies)
        if columns is None:
            return keys
        # By those that came or went others are needed that did not change.
        for key in changed.jobs:
            if key not in columns.places:
                keys.update(self._dependencies(key))
            elif not found.is_known(key):
                keys.update(columns.dependencies(key))
        return keys

    def dependants(self, keys: Sequence[JobKey], now: float) -> Mapping[JobKey, Sequence[JobKey]]:
        """The jobs that are made from each of these, by one step."""
        columns = self.columns or AllColumns(self._found.snapshot(now, sizes=self._sizes))
        lists = {key: list(columns.dependants(key)) for key in keys}
        for other in self.changed:
            if other not in columns.places:
                for upstream in self._dependencies(other):
                    if upstream in lists:
                        lists[upstream].append(other)
        return {
            key: [other for other in others if self._found.is_known(other)]
            for key, others in lists.items()
        }

    def _dependencies(self, key: JobKey) -> Sequence[JobKey]:
        run = self._found.home_of(key)
        index = None if run is None else self._found.index(run)
        if index is None:
            return self._found.record(key).dependencies
        return index.references[key].dependencies

    def forget(self) -> None:
        """The columns are too old."""
        self.columns = self._snapshot = None

    def snapshot(self, now: float) -> Snapshot:
        """What columns are to be made from; `now` is in seconds since 1970."""
        if self._snapshot is not None:
            return self._snapshot
        self.columns = None
        self.changed.clear()
        self._snapshot = self._found.snapshot(now, sizes=self._sizes)
        runs = [RunKey(seen.experiment, seen.run) for seen in self._snapshot.runs]
        indexes = {run: index for run in runs if (index := self._found.index(run))}
        self._made_from = {
            run: _Made(index, len(index.keys), index.waits) for run, index in indexes.items()
        }
        return self._snapshot

    def take(self, columns: AllColumns) -> None:
        """Keep what was made of the last snapshot; of an older one it is not wanted any more."""
        if columns.snapshot is self._snapshot:
            self.columns = columns
            self._snapshot = None

    def ranks(
        self,
        keys: Sequence[JobKey],
        by: str,
        order: Order,
        *,
        reverse: bool,
        run: RunKey | None,
        job_of: Callable[[JobKey], Job],
    ) -> Sequence[float] | None:
        """A number for each of these jobs to sort by, as seen in a run or each in its newest one.

        None while the columns are not made.
        """
        columns = self.columns
        if columns is None:
            return None
        changed = self.changed
        apart = list(compress(count(), map(changed.__contains__, keys))) if changed else []
        if run is not None and not columns.sees_in(run):
            columns, apart = self._columns_of(run), []
        values = [order(job_of(keys[place])) for place in apart]
        ranked = columns.ranks(keys, by, values, reverse=reverse)
        if ranked is None:
            return ranking([order(job_of(key)) for key in keys], reverse=reverse)
        ranks = list(ranked[0])
        for place, rank in zip(apart, ranked[1], strict=True):
            ranks[place] = rank
        return ranks

    def _columns_of(self, run: RunKey) -> AllColumns:
        """The jobs of an earlier run, in its light."""
        index, version = self._found.index(run), self._found.version
        assert index is not None
        if self._of_run is None or self._of_run[:2] != (index, version):
            snapshot = self._found.snapshot_of(index, clock.now())
            self._of_run = (index, version, AllColumns(snapshot))
        return self._of_run[2]


_DONE = STATES.index(JobState.DONE)
_TOLD = [state is not JobState.DONE for state in STATES]
