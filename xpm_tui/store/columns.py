"""All jobs as columns, for filters: read from the packed rows at once, and never a job a time.

A `Snapshot` is taken by the thread that owns the store; the columns may be made in another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_engine.filters import Cell, Column, coded, flag_column, numbers
from xpm_engine.filters.columns import ABSENT
from xpm_engine.filters.names import METRIC, PARAM, TAG
from xpm_engine.filters.rows import cells_of
from xpm_engine.verbs.job_facts import cause_of
from xpm_engine.verbs.listing import why_words
from xpm_engine.workspace import processes
from xpm_engine.workspace.index import JobRow, PackedReferences, record_of
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.runs import How
from xpm_engine.workspace.records.states import JobState
from xpm_tui.store.rows import STATES, codes_of
from xpm_tui.store.selected import Roll
from xpm_tui.store.subjects import RunKey

_TEXTS = ("id", "task", "state", "exp", "run", "reason", "cause", "host", "owner")
_NUMBERS = ("attempt", "progress", "time", "wait", "age", "started", "ended")
_FLAGS = tuple(map(flag_column, ("live", "reused", "drifted", "mine")))
OFFERED = (*_TEXTS, *_NUMBERS, *_FLAGS)
"""The fields that can be asked of columns; for others there must be jobs."""

_LIVE = bytes(state.live for state in STATES)
_BAD = bytes(state.ended_badly for state in STATES)


@dataclass(frozen=True, eq=False)
class Seen:
    """A run, as its jobs are seen in it."""

    run: RunKey
    latest: bool
    user: str
    lines: PackedReferences
    codes: bytes
    """The states of its jobs, as places in `STATES`."""
    waits: Mapping[JobKey, Wait]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What the columns are made from; nothing in it changes."""

    keys: Sequence[JobKey]
    rows: Mapping[JobKey, JobRow]
    runs: Sequence[Seen]
    """Those whose word on a job counts more come later."""
    now: float


class JobColumns:
    """A `Table` of all jobs, each in the light of the last run of the snapshot that has it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.keys = snapshot.keys
        self.roll = Roll(snapshot.keys)
        self._now = snapshot.now
        self._columns: dict[str, Column | None] = {}
        count = len(self.keys)
        self._named: dict[str, dict[int, Any]] = {}
        self._codes = codes_of(map(snapshot.rows.get, self.keys))
        self._reused = bytearray(count)
        self._drifted = bytearray(count)
        self._asked: dict[int, str] = {}
        self._experiments: dict[int, tuple[str, ...]] = {}
        self._runs: dict[int, tuple[str, ...]] = {}
        self._owners: list[str | None] = [None] * count
        self._waits: dict[int, Wait] = {}
        seen_in = self._read_runs(snapshot.runs)
        self._fields = _Fields(count)
        self._read_rows(snapshot, seen_in)

    @property
    def rows(self) -> int:
        return len(self.keys)

    def names(self) -> Sequence[str]:
        return (*OFFERED, *self._named)

    def column(self, name: str) -> Column | None:
        if name not in self._columns:
            self._columns[name] = self._make(name)
        return self._columns[name]

    def warm(self) -> None:
        """Make the columns that are asked most, so that a key does not."""
        for column in map(self.column, (*_TEXTS, *self._named)):
            _ = None if column is None else (column.texts, column.shown)

    # Reading

    def _read_runs(self, runs: Sequence[Seen]) -> list[int]:
        """Returns for each job the run in whose light it is seen; -1 for none."""
        places = self.roll.places
        seen_in = [-1] * len(self.keys)
        for number, seen in enumerate(runs):
            for key, code in zip(seen.lines.keys, seen.codes, strict=True):
                place = places[key]
                seen_in[place] = number
                self._codes[place] = code
        for seen in reversed(runs):
            if seen.latest:
                name, run = (seen.run.experiment,), (seen.run.run,)
                for key in seen.lines.keys:
                    place = places[key]
                    self._experiments[place] = self._experiments.get(place, ()) + name
                    self._runs[place] = self._runs.get(place, ()) + run
        for number, seen in enumerate(runs):
            for line_number, key in enumerate(seen.lines.keys):
                place = places[key]
                if seen_in[place] == number:
                    self._read_line(place, seen, line_number)
        return seen_in

    def _read_line(self, place: int, seen: Seen, number: int) -> None:
        at, tags, params, _, drift, *_ = seen.lines.fields(number)
        how = seen.lines.how(number)
        self._reused[place] = how is How.REUSED
        self._drifted[place] = bool(drift)
        self._put(TAG, place, tags)
        self._put(PARAM, place, params)
        if how in (How.NEW, How.RETRIED):
            self._asked[place] = at
        wait = seen.waits.get(self.keys[place])
        if wait is not None:
            self._waits[place] = wait
        if seen.latest:
            self._owners[place] = seen.user

    def _put(self, prefix: str, place: int, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            cells = self._named.get(prefix + name)
            if cells is None:
                cells = self._named[prefix + name] = {}
            cells[place] = value

    def _read_rows(self, snapshot: Snapshot, seen_in: Sequence[int]) -> None:
        fields = self._fields
        runs_by_name = {str(seen.run): seen for seen in snapshot.runs}
        for place, key in enumerate(self.keys):
            row = snapshot.rows.get(key)
            if row is None:
                continue
            record = record_of(key, row)
            self._put(METRIC, place, record.metrics)
            if seen_in[place] < 0:
                self._put(TAG, place, record.tags)
                self._put(PARAM, place, record.params)
            if place not in self._runs and "/" in record.run:
                experiment, run = record.run.split("/", 1)
                self._experiments[place], self._runs[place] = (experiment,), (run,)
                seen = runs_by_name.get(record.run)
                self._owners[place] = None if seen is None else seen.user
                if seen is None or seen_in[place] < 0 or snapshot.runs[seen_in[place]] is not seen:
                    self._asked.pop(place, None)
            if record.user:
                self._owners[place] = record.user
            state = STATES[self._codes[place]]
            fields.attempt[place] = record.attempt or None
            fields.started[place] = record.started
            fields.ended[place] = record.ended
            fields.launched[place] = record.launched
            fields.seconds[place] = None if record.usage is None else record.usage.seconds
            fields.host[place] = None if record.supervisor is None else record.supervisor.host
            if record.progress is not None:
                fields.progress[place] = record.progress.fraction
            if _BAD[self._codes[place]] or record.problem:
                fields.reason[place] = why_words(state, record, None) or None
                fields.cause[place] = cause_of(state, record)
        for place, wait in self._waits.items():
            state = STATES[self._codes[place]]
            if state in (JobState.WAITING, JobState.BLOCKED) and not fields.reason[place]:
                record = record_of(self.keys[place], snapshot.rows.get(self.keys[place]))
                fields.reason[place] = why_words(state, record, wait) or None

    # Columns

    def _make(self, name: str) -> Column | None:
        if name in self._named:
            cells = self._named[name]
            return coded(cells_of([cells.get(place, ABSENT) for place in range(self.rows)]))
        make: dict[str, Callable[[], Column]] = {
            "id": lambda: coded(key.identifier for key in self.keys),
            "task": lambda: coded(map(_task_cell, self.keys)),
            "state": lambda: _by_code([state.value for state in STATES], self._codes),
            "exp": lambda: coded(self._several(self._experiments)),
            "run": lambda: coded(self._several(self._runs)),
            "reason": lambda: coded(self._fields.reason),
            "cause": lambda: coded(self._fields.cause),
            "host": lambda: coded(self._fields.host),
            "owner": lambda: coded([owner or None for owner in self._owners]),
            "attempt": lambda: numbers(self._fields.attempt),
            "progress": lambda: numbers(self._fields.progress),
            "time": lambda: numbers(map(self._time, range(self.rows))),
            "wait": lambda: numbers(map(self._wait, range(self.rows))),
            "age": lambda: numbers(map(self._last_change, range(self.rows))),
            "started": lambda: numbers(map(_moment, self._fields.started)),
            "ended": lambda: numbers(map(_moment, self._fields.ended)),
            flag_column("live"): lambda: _by_code(list(map(bool, _LIVE)), self._codes),
            flag_column("reused"): lambda: _by_code([False, True], self._reused),
            flag_column("drifted"): lambda: _by_code([False, True], self._drifted),
            flag_column("mine"): self._mine,
        }
        return make[name]() if name in make else None

    def _several(self, cells: Mapping[int, tuple[str, ...]]) -> Iterable[Cell]:
        return (cells.get(place, ()) for place in range(self.rows))

    def _mine(self) -> Column:
        you = processes.user_name()
        return coded([owner == you for owner in self._owners])

    def _time(self, place: int) -> float | None:
        fields = self._fields
        if fields.seconds[place] is not None:
            return fields.seconds[place]
        began, ended = _moment(fields.started[place]), _moment(fields.ended[place])
        if began is None or (ended is None and not _LIVE[self._codes[place]]):
            return None
        return max(0.0, (self._now if ended is None else ended) - began)

    def _wait(self, place: int) -> float | None:
        fields = self._fields
        asked = _moment(self._asked.get(place) or fields.launched[place])
        began = _moment(fields.started[place])
        if asked is None or (began is None and not _LIVE[self._codes[place]]):
            return None
        seconds = (self._now if began is None else began) - asked
        return seconds if seconds >= 0 else None

    def _last_change(self, place: int) -> float | None:
        fields = self._fields
        return _moment(
            fields.ended[place]
            or fields.started[place]
            or fields.launched[place]
            or self._asked.get(place)
        )


class _Fields:
    """What the records tell, a list a field."""

    def __init__(self, count: int) -> None:
        self.attempt: list[float | None] = [None] * count
        self.progress: list[float | None] = [None] * count
        self.seconds: list[float | None] = [None] * count
        self.launched: list[str | None] = [None] * count
        self.started: list[str | None] = [None] * count
        self.ended: list[str | None] = [None] * count
        self.host: list[str | None] = [None] * count
        self.reason: list[str | None] = [None] * count
        self.cause: list[Cell] = [None] * count


def _by_code(values: Sequence[Cell], codes: bytes | bytearray) -> Column:
    return Column(values, bytes(codes))


def _task_cell(key: JobKey) -> Cell:
    last = key.task.rpartition(".")[2]
    return key.task if last == key.task else (key.task, last)


def _moment(text: str | None) -> float | None:
    return None if text is None else parse_time(text)
