"""All jobs as columns, for filters and for sorting: read from packed rows, never a job at a time.

A `Snapshot` never changes, so that columns can be made in any thread.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import cached_property
from typing import Any

from xpm_engine.filters import (
    ABSENT,
    Cell,
    Column,
    Scalar,
    coded,
    flag_column,
    floats,
    numbers,
    several,
)
from xpm_engine.filters.names import METRIC, PARAM, TAG
from xpm_engine.filters.rows import cells_of
from xpm_engine.verbs.jobs.facts import cause_of, launcher_of, size_of
from xpm_engine.verbs.jobs.listing import why_words
from xpm_engine.verbs.jobs.snapshots import STATES, SeenRun, Snapshot, codes_of
from xpm_engine.workspace import processes
from xpm_engine.workspace.index import JobRow, record_of
from xpm_engine.workspace.index.fields import RowFields, asked_at
from xpm_engine.workspace.index.packing import (
    dependency_names,
    dependency_names_of_line,
    reference_of,
)
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.runs import How, Reference
from xpm_engine.workspace.scan import JobRecord

_TEXTS = ("id", "task", "state", "exp", "run", "reason", "cause", "host", "owner")
_NUMBERS = ("attempt", "progress", "time", "wait", "age", "started", "ended")
_FLAGS = tuple(map(flag_column, ("live", "reused", "drifted", "pinned", "mine")))
_SELDOM = ("needs", "neededby", "launcher", "size")
OFFERED = (*_TEXTS, *_NUMBERS, *_FLAGS, *_SELDOM)
"""The fields that can be asked of columns."""

_LIVE = bytes(state.live for state in STATES)
_NAN = math.nan


class JobColumns:
    """A `Table` of all jobs, each in the light of the last run of the snapshot that has it.

    A column is made when it is asked for, and what it is read from when the first one needs that.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.keys = snapshot.keys
        self.places = {key: place for place, key in enumerate(self.keys)}
        self._now = snapshot.now
        self._runs = snapshot.runs
        self._rows: list[JobRow | None] = list(map(snapshot.rows.get, self.keys))
        self._columns: dict[str, Column | None] = {}
        self.light = array("i", [-1]) * len(self.keys)
        """The place of the run in whose light a job is seen; -1 for none."""
        self.codes = codes_of(self._rows)
        """The state of each job, a place in `STATES`."""
        self._lines: list[bytes | None] = [None] * len(self.keys)
        for number, seen in enumerate(self._runs):
            for place, code, line in zip(
                self._places(seen), seen.codes, seen.lines.rows, strict=True
            ):
                self.light[place] = number
                self.codes[place] = code
                self._lines[place] = line

    @property
    def rows(self) -> int:
        return len(self.keys)

    def names(self) -> Sequence[str]:
        return (*OFFERED, *self._named)

    def column(self, name: str) -> Column | None:
        if name not in self._columns:
            self._columns[name] = self._make(name)
        return self._columns[name]

    def has(self, name: str) -> bool:
        """Whether a column was made already."""
        return name in self._columns

    def warm(self) -> None:
        """Make the columns that are asked most, so that a key does not."""
        for name in (*_TEXTS, *_NUMBERS, *self._named):
            column = self.column(name)
            if column is not None:
                _ = column.shown if name.startswith(TAG) else column.texts

    def seconds(self, now: float) -> Sequence[float]:
        """How long the last attempt of each job took, or has taken until `now`; NaN for none."""
        read = self._read
        found = array("d", read.seconds)
        for place, seconds in enumerate(found):
            if seconds != seconds:  # noqa: PLR0124 (NaN)
                began, ended = read.started[place], read.ended[place]
                if ended != ended and _LIVE[self.codes[place]]:  # noqa: PLR0124
                    ended = now
                elapsed = ended - began
                found[place] = 0.0 if elapsed < 0 else elapsed
        return found

    # Columns

    def _make(self, name: str) -> Column | None:
        make: dict[str, Callable[[], Column]] = {
            "id": lambda: Column([key.identifier for key in self.keys], None),
            "task": lambda: coded(map(_task_cell, self.keys)),
            "state": lambda: Column([state.value for state in STATES], bytes(self.codes)),
            "exp": lambda: self._membership[0],
            "run": lambda: self._membership[1],
            "reason": lambda: coded(self._why[0]),
            "cause": lambda: coded(self._why[1]),
            "host": lambda: coded(self._read.host),
            "launcher": lambda: coded(self._launchers()),
            "owner": lambda: coded([owner or None for owner in self._owners]),
            "user": lambda: coded([user or None for user in self._read.user]),
            "attempt": lambda: floats(self._read.attempt),
            "progress": lambda: floats(self._read.progress),
            "exit code": lambda: coded(self._read.exit_code),
            "memory": lambda: floats(self._read.memory),
            "how": lambda: self._how,
            "time": lambda: floats(self.seconds(self._now)),
            "wait": lambda: floats(map(self._wait, range(self.rows))),
            "age": lambda: floats(map(self._last_change, range(self.rows))),
            "started": lambda: floats(self._read.started),
            "ended": lambda: floats(self._read.ended),
            "size": lambda: numbers(map(self._size, self.keys, self._rows)),
            "needs": lambda: several(self._dependencies()),
            "neededby": self._needed_by,
            flag_column("live"): lambda: Column([bool(live) for live in _LIVE], bytes(self.codes)),
            flag_column("reused"): lambda: Column([False, True], self.reused),
            flag_column("drifted"): lambda: Column([False, True], self.drifted),
            flag_column("pinned"): self._pinned,
            flag_column("mine"): self._mine,
        }
        if name in make:
            return make[name]()
        # What was read is not needed twice: a column is a tenth of it.
        cells = self._named.get(name)
        if cells is None:
            return None
        self._named[name] = []
        return coded(cells_of(cells))

    @cached_property
    def _named(self) -> dict[str, list[Any]]:
        """The cells of tags, parameters and metrics, by their qualified names."""
        read = self._read
        kinds = ((TAG, read.tags), (PARAM, read.params), (METRIC, read.metrics))
        return {prefix + name: cells for prefix, named in kinds for name, cells in named.items()}

    @cached_property
    def _how(self) -> Column:
        codes = bytes([0 if line is None else line[0] + 1 for line in self._lines])
        return Column([None, *(how.value for how in How)], codes)

    @cached_property
    def reused(self) -> bytes:
        """For each job whether the run in whose light it is seen found it done."""
        reused = 1 + tuple(How).index(How.REUSED)
        return bytes([code == reused for code in self._how.codes or ()])

    @property
    def drifted(self) -> bytes:
        """For each job whether the run in whose light it is seen says that it has drifted."""
        return bytes(self._read.drifted)

    @property
    def talking(self) -> Set[int]:
        """The places of the jobs of which there is more to say than their state."""
        drifted = (place for place, drift in enumerate(self._read.drifted) if drift)
        return self._read.special.union(self.waits, drifted)

    def line(self, place: int) -> Reference | None:
        """How the run in whose light a job is seen names it; None if it is in none."""
        line = self._lines[place]
        return None if line is None else reference_of(self.keys[place], line)

    def record(self, place: int) -> JobRecord:
        """The record of one job."""
        return record_of(self.keys[place], self._rows[place])

    @cached_property
    def _read(self) -> RowFields:
        return RowFields(self._rows, self._lines, ABSENT)

    @cached_property
    def _membership(self) -> tuple[Column, Column]:
        """The experiments and the runs of each job: the latest ones, else the one it ran for."""
        sets: dict[tuple[int, ...], int] = {(): 0}
        code_of = array("I", [0]) * self.rows
        grown: dict[tuple[int, int], int] = {}
        members: list[tuple[int, ...]] = [()]
        for number in reversed(range(len(self._runs))):
            seen = self._runs[number]
            if not seen.latest:
                continue
            for place in self._places(seen):
                before = code_of[place]
                code = grown.get((before, number))
                if code is None:
                    runs = (*members[before], number)
                    code = grown[before, number] = sets.setdefault(runs, len(members))
                    if code == len(members):
                        members.append(runs)
                code_of[place] = code
        pairs: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
            (
                tuple(self._runs[number].experiment for number in runs),
                tuple(self._runs[number].run for number in runs),
            )
            for runs in members
        ]
        loose: dict[str, int] = {}
        for place, code in enumerate(code_of):
            if code:
                continue
            name = self._read.run[place]
            if "/" in name:
                if name not in loose:
                    experiment, run = name.split("/", 1)
                    loose[name] = len(pairs)
                    pairs.append(((experiment,), (run,)))
                code_of[place] = loose[name]
        experiments, runs_ = zip(*pairs, strict=True)
        return several(experiments, code_of), several(runs_, code_of)

    @cached_property
    def _in_latest(self) -> bytes:
        """1 for each job that a latest run references."""
        found = bytearray(self.rows)
        for seen in self._runs:
            if seen.latest:
                for place in self._places(seen):
                    found[place] = 1
        return bytes(found)

    @cached_property
    def _owners(self) -> Sequence[str]:
        owners = list(self._read.user)
        users = {f"{seen.experiment}/{seen.run}": seen.user for seen in self._runs}
        for place, owner in enumerate(owners):
            if not owner and self._in_latest[place]:
                owners[place] = self._runs[self.light[place]].user
            elif not owner:
                owners[place] = users.get(self._read.run[place], "")
        return owners

    def _mine(self) -> Column:
        you = processes.user_name()
        return Column([False, True], bytes([owner == you for owner in self._owners]))

    def _pinned(self) -> Column:
        pinned = [isinstance(row, JobRecord) and row.pinned for row in self._rows]
        return Column([False, True], bytes(pinned))

    def _launchers(self) -> Sequence[str | None]:
        """What the last attempt of each job was started with; few records do not tell it."""
        found = list(self._read.launcher)
        for place, launcher in enumerate(found):
            if launcher is None and self._rows[place] is not None:
                record = self.record(place)
                found[place] = launcher_of(self.snapshot.workspace, record.key, record)
        return found

    def _size(self, key: JobKey, row: JobRow | None) -> int | None:
        """Measured again if it may have changed since."""
        sizes = self.snapshot.sizes
        if isinstance(row, bytes):
            known = sizes.get(key)
            if known is not None and known[0] is row:
                return known[1]
        found = size_of(self.snapshot.workspace, key, record_of(key, row))
        if isinstance(row, bytes):
            sizes[key] = (row, found)
        return found

    @cached_property
    def waits(self) -> Mapping[int, Wait]:
        """What jobs wait for, by their places."""
        found: dict[int, Wait] = {}
        for number, seen in enumerate(self._runs):
            for key, wait in seen.waits.items():
                place = self.places.get(key)
                if place is not None and self.light[place] == number:
                    found[place] = wait
        return found

    @cached_property
    def _why(self) -> tuple[list[Cell], list[Cell]]:
        """The reason, and the cause, of each job."""
        reasons: list[Cell] = [None] * self.rows
        causes: list[Cell] = [None] * self.rows
        for place in self._read.special.union(self.waits):
            state, record = STATES[self.codes[place]], self.record(place)
            reasons[place] = why_words(state, record, self.waits.get(place)) or None
            causes[place] = cause_of(state, record)
        return reasons, causes

    @cached_property
    def _asked(self) -> Sequence[float]:
        """When each job was asked for, if that was for this attempt: by the newest of the latest
        runs that has it, else by the run that it ran for."""
        read, of_latest = self._read, self._in_latest
        asked = array("d", [_NAN]) * self.rows
        for place, moment in enumerate(read.asked):
            if of_latest[place]:
                asked[place] = moment
        for seen in self._runs:
            if seen.latest:
                continue
            name = f"{seen.experiment}/{seen.run}"
            for place, line in zip(self._places(seen), seen.lines.rows, strict=True):
                if not of_latest[place] and read.run[place] == name:
                    asked[place] = asked_at(line)
        return asked

    def _wait(self, place: int) -> float:
        asked, began = self._asked[place], self._read.started[place]
        if asked != asked:  # noqa: PLR0124 (NaN)
            asked = self._read.launched[place]
        if began != began and _LIVE[self.codes[place]]:  # noqa: PLR0124
            began = self._now
        seconds = began - asked
        return seconds if seconds >= 0 else _NAN

    def _last_change(self, place: int) -> float:
        read = self._read
        for moments in (read.ended, read.started, read.launched):
            if moments[place] == moments[place]:
                return moments[place]
        return self._asked[place]

    # What is made from what

    def _dependencies(self) -> Sequence[Sequence[str]]:
        """The names of what each job is made from, as the run in whose light it is seen says."""
        return list(map(_dependencies_in, self._lines, self._rows))

    def dependencies(self, key: JobKey) -> Sequence[JobKey]:
        """The jobs that one is made from, by one step."""
        place = self.places[key]
        names = _dependencies_in(self._lines[place], self._rows[place])
        return [JobKey(*name.split("/", 1)) for name in names]

    @cached_property
    def _dependants(self) -> Mapping[str, Sequence[int]]:
        """For each job that others are made from, by its name, the places of these."""
        found: dict[str, list[int]] = {}
        for place, names in enumerate(self._dependencies()):
            for name in names:
                found.setdefault(name, []).append(place)
        return found

    def dependants(self, key: JobKey) -> Sequence[JobKey]:
        """The jobs that are made from this one, by one step."""
        return [self.keys[place] for place in self._dependants.get(str(key), ())]

    def _needed_by(self) -> Column:
        texts, dependants = list(map(str, self.keys)), self._dependants
        cells: list[list[Scalar]] = [
            [texts[place] for place in dependants.get(text, ())] for text in texts
        ]
        for seen in reversed(self._runs):
            if seen.latest:
                for place in self._places(seen):
                    cells[place].append(seen.experiment)
        return several(cells)

    def _places(self, seen: SeenRun) -> Iterable[int]:
        return map(self.places.__getitem__, seen.lines.keys)


def _dependencies_in(line: bytes | None, row: JobRow | None) -> Sequence[str]:
    if line is not None:
        return dependency_names_of_line(line)
    return () if row is None else dependency_names(row)


def _task_cell(key: JobKey) -> Cell:
    last = key.task.rpartition(".")[2]
    return key.task if last == key.task else (key.task, last)
