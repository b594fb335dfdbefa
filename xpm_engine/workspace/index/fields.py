"""What very many rows tell, a list a field: each is unpacked once, and none becomes a record."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from xpm_engine.workspace.index.packing import (
    HOW_CODES,
    NO_FIELDS,
    NO_LINE,
    JobRow,
    ended_of,
    fields_of_line,
    fields_of_row,
    state_of,
)
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.runs import How

CHUNK = 200
"""Rows that are unpacked at once: most of what comes of them is garbage soon."""

_ASKED = bytes([HOW_CODES[How.NEW], HOW_CODES[How.RETRIED]])

_NAN = math.nan


class RowFields:
    """What jobs' records and the lines that name them tell; moments are seconds since 1970.

    A number that is not known is NaN.
    """

    def __init__(
        self, rows: Sequence[JobRow | None], lines: Sequence[bytes | None], absent: Any
    ) -> None:
        """For each job its row and the line of the run in whose light it is seen, if it has any.

        `absent` stands for a tag, a parameter or a metric that a job lacks.
        """
        self.attempt = array("d")
        self.run: list[str] = []
        self.launched = array("d")
        self.started = array("d")
        self.ended = array("d")
        self.seconds = array("d")
        """That the last attempt took, by its writer's clock."""
        self.memory = array("d")
        """Bytes at most."""
        self.exit_code: list[int | None] = []
        self.host: list[str | None] = []
        self.user: list[str] = []
        self.launcher: list[str | None] = []
        self.progress = array("d")
        self.asked = array("d")
        """When the line asked for the job, if that was for this attempt."""
        self.drifted = bytearray()
        self.tags: dict[str, list[Any]] = {}
        self.params: dict[str, list[Any]] = {}
        self.metrics: dict[str, list[Any]] = {}
        self.special: set[int] = set()
        """The places of those that have a reason or a problem."""
        self._same: dict[str, str] = {}
        """One object for one text: what is unpacked is a new one each time."""
        self._absent = absent
        self._count = len(rows)
        for start in range(0, len(rows), CHUNK):
            self._take(start, rows[start : start + CHUNK], lines[start : start + CHUNK])

    def _take(self, start: int, rows: Sequence[JobRow | None], lines: Sequence[Any]) -> None:
        records = [NO_FIELDS if row is None else fields_of_row(row) for row in rows]
        told = [NO_LINE if line is None else fields_of_line(line) for line in lines]
        attempts, runs, launched, started, usages, reasons, codes, _, supervisors, *rest = zip(
            *records, strict=True
        )
        _, users, tags, params, _, metrics, progress, _, launchers, _ = rest
        at, line_tags, line_params, _, drift, *_ = zip(*told, strict=True)
        self.attempt.extend([attempt or _NAN for attempt in attempts])
        same = self._same
        self.run.extend([same.setdefault(run, run) for run in runs])
        self.launched.extend(map(_moment, launched))
        self.started.extend(map(_moment, started))
        self.ended.extend([_NAN if row is None else _moment(ended_of(row)) for row in rows])
        self.seconds.extend([_NAN if usage is None else usage[0] for usage in usages])
        self.memory.extend([_most(usage) for usage in usages])
        self.exit_code.extend(codes)
        hosts = [None if each is None else each[5] for each in supervisors]
        self.host.extend([None if host is None else same.setdefault(host, host) for host in hosts])
        known = (None if name is None else same.setdefault(name, name) for name in launchers)
        self.launcher.extend(known)
        self.user.extend([same.setdefault(user, user) for user in users])
        self.progress.extend([_NAN if each is None else _fraction(each) for each in progress])
        self.asked.extend(
            [
                _moment(moment) if line is not None and line[0] in _ASKED else _NAN
                for moment, line in zip(at, lines, strict=True)
            ]
        )
        self.drifted.extend(map(bool, drift))
        seen = zip(lines, line_tags, tags, strict=True)
        self._put(self.tags, start, [own if line is None else its for line, its, own in seen])
        seen = zip(lines, line_params, params, strict=True)
        self._put(self.params, start, [own if line is None else its for line, its, own in seen])
        self._put(self.metrics, start, metrics)
        self.special.update(
            place
            for place, (row, reason) in enumerate(zip(rows, reasons, strict=True), start)
            if reason is not None
            or (row is not None and not isinstance(row, bytes) and row.problem)
            or (row is not None and state_of(row).ended_badly)
        )

    def _put(
        self, named: dict[str, list[Any]], start: int, found: Sequence[Mapping[str, Any]]
    ) -> None:
        absent = self._absent
        for name in dict.fromkeys(chain.from_iterable(found)):
            cells = named.get(name)
            if cells is None:
                cells = named[name] = [absent] * self._count
            cells[start : start + len(found)] = [values.get(name, absent) for values in found]


def _moment(text: str | None) -> float:
    moment = parse_time(text) if text else None
    return _NAN if moment is None else moment


def asked_at(line: bytes) -> float:
    """When a line asked for its job, if that was for this attempt; NaN if it was not."""
    return _moment(fields_of_line(line)[0]) if line[0] in _ASKED else _NAN


def _most(usage: tuple[Any, ...] | None) -> float:
    """The peak of its memory."""
    return _NAN if usage is None or usage[2] is None else usage[2]


def _fraction(progress: tuple[Any, ...]) -> float:
    """As `Progress.fraction`: that of the outermost level."""
    levels = progress[3]
    return levels[0][0] if levels else 0.0
