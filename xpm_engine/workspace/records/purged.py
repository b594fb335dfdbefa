"""What stays of a clean that was deleted for good: a line a job, small enough to be kept for ever.

The first line is the head. What can't be read of a line is passed over: nothing depends on it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Optional, Tuple, cast

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields, no_numbers, no_values
from xpm_engine.workspace.records.metrics import numbers_from_json, numbers_to_json
from xpm_engine.workspace.records.reasons import member
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece


@dataclass(frozen=True)
class PurgedJob:
    """A job that is gone: what it was asked, how it went, and the end of what it said."""

    key: JobKey
    state: JobState
    """Before it was cleaned."""
    attempt: int = 0
    run: str = ""
    started: Optional[str] = None
    ended: Optional[str] = None
    seconds: Optional[float] = None
    reason: str = ""
    tags: Dict[str, Any] = field(default_factory=no_values)
    params: Dict[str, Any] = field(default_factory=no_values)
    metrics: Dict[str, float] = field(default_factory=no_numbers)
    stdout: Tuple[str, ...] = ()
    """Its last lines."""
    stderr: Tuple[str, ...] = ()
    size: Optional[int] = None

    def to_json(self) -> Dict[str, Any]:
        return {
            "task": self.key.task,
            "id": self.key.identifier,
            "state": self.state.value,
            "attempt": self.attempt,
            "run": self.run,
            "started": self.started,
            "ended": self.ended,
            "seconds": self.seconds,
            "reason": self.reason,
            "tags": self.tags,
            "params": self.params,
            "metrics": numbers_to_json(self.metrics),
            "stdout": list(self.stdout),
            "stderr": list(self.stderr),
            "size": self.size,
        }

    @classmethod
    def read(cls, fields: Fields) -> "PurgedJob":
        try:
            key = JobKey.parse(fields.text("task") + "/" + fields.text("id"))
        except ValueError as error:
            raise UnreadableError(str(error), where=fields.where) from None
        return cls(
            key=key,
            state=member(JobState, fields, "state"),
            attempt=fields.integer("attempt"),
            run=fields.text("run"),
            started=fields.optional_text("started"),
            ended=fields.optional_text("ended"),
            seconds=fields.optional_number("seconds"),
            reason=fields.text("reason"),
            tags=fields.mapping("tags"),
            params=fields.mapping("params"),
            metrics=numbers_from_json(fields.data.get("metrics")),
            stdout=tuple(fields.texts("stdout")),
            stderr=tuple(fields.texts("stderr")),
            size=fields.optional_integer("size"),
        )


@dataclass(frozen=True)
class Purged:
    """A clean that was deleted for good."""

    name: str
    cleaned: str
    """When it was moved to the trash; empty if nobody knows."""
    purged: str
    user: str
    host: str
    jobs: Tuple[PurgedJob, ...] = ()
    pieces: Tuple[Piece, ...] = ()
    damaged: int = 0
    """Lines that can't be read."""

    @property
    def size(self) -> Optional[int]:
        """Bytes that were freed; None where something was not measured."""
        parts: List[Optional[int]] = [job.size for job in self.jobs]
        parts += [piece.size for piece in self.pieces]
        known = [size for size in parts if size is not None]
        return sum(known) if len(known) == len(parts) else None


def purged_lines(record: Purged) -> List[Dict[str, Any]]:
    """The lines of a record's file."""
    head = {
        "v": VERSION,
        "name": record.name,
        "cleaned": record.cleaned,
        "purged": record.purged,
        "user": record.user,
        "host": record.host,
    }
    return [
        head,
        *(job.to_json() for job in record.jobs),
        *(piece.to_json() for piece in record.pieces),
    ]


def parse_purged(data: bytes, where: str) -> Purged:
    """Read a record; raises UnreadableError where its first line can't be read."""
    lines = data.splitlines()
    head = _fields(lines[0] if lines else b"", f"{where}:1")
    head.version()
    jobs: List[PurgedJob] = []
    pieces: List[Piece] = []
    damaged = 0
    for fields in _readable(lines[1:], where):
        try:
            if fields is None:
                damaged += 1
            elif "kind" in fields.data:
                pieces.append(Piece.read(fields))
            else:
                jobs.append(PurgedJob.read(fields))
        except UnreadableError:
            damaged += 1
    return Purged(
        head.text("name"),
        head.text("cleaned"),
        head.text("purged"),
        head.text("user"),
        head.text("host"),
        tuple(jobs),
        tuple(pieces),
        damaged,
    )


def _readable(lines: Iterable[bytes], where: str) -> Iterable[Optional[Fields]]:
    for number, line in enumerate(lines, start=2):
        try:
            yield _fields(line, f"{where}:{number}")
        except UnreadableError:
            yield None


def _fields(line: bytes, where: str) -> Fields:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("is truncated or no JSON", where=where) from error
    if not isinstance(value, dict):
        raise UnreadableError("holds no JSON object", where=where)
    return Fields(cast("Dict[str, Any]", value), where)
