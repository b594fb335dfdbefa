"""journal.jsonl of a cleaning transaction: what is to be moved, and what became of it.

The first line is the head, then a line for every job, then the closing line of the list with its
count: all of it is on the disk before anything is touched. What follows is appended as it
happens. What was really moved is told by the folders, never by the journal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Iterable, List, Optional, Tuple, cast

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import member
from xpm_engine.workspace.records.states import JobState


class LineType(str, Enum):
    """What a line of the journal says."""

    HEAD = "head"
    JOB = "job"
    PIECE = "piece"
    """Something that is no whole job; stands before the end of the list."""
    LISTED = "listed"
    """The list is complete."""
    MOVED = "moved"
    """The moving is over; names the jobs that were left where they are."""
    UNDONE = "undone"
    """Jobs were moved back; names those that were not."""


@dataclass(frozen=True)
class Removal:
    """A job that a transaction is to move, with what a screen says about it."""

    key: JobKey
    attempt: int
    """The number of the cleaner's ticket."""
    state: JobState
    """Before it was cleaned."""
    ended: Optional[str]
    tags: Dict[str, Any]
    params: Dict[str, Any]
    size: Optional[int]
    """Bytes on the disk; None if it was not measured."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "type": LineType.JOB.value,
            "task": self.key.task,
            "id": self.key.identifier,
            "attempt": self.attempt,
            "state": self.state.value,
            "ended": self.ended,
            "tags": self.tags,
            "params": self.params,
            "size": self.size,
        }

    @classmethod
    def read(cls, fields: Fields) -> "Removal":
        return cls(
            key=_key(fields),
            attempt=fields.integer("attempt"),
            state=member(JobState, fields, "state"),
            ended=fields.optional_text("ended"),
            tags=fields.mapping("tags"),
            params=fields.mapping("params"),
            size=fields.optional_integer("size"),
        )


def unknown_removal(key: JobKey) -> Removal:
    """A job in the trash of which no journal tells."""
    return Removal(key, 0, JobState.UNREADABLE, None, {}, {}, None)


class PieceKind(str, Enum):
    """What is moved that is no whole job."""

    LEFTOVERS = "leftovers"
    """What one attempt left behind in a job that stays: task, identifier, attempt."""
    FILE = "file"
    """A file of a finished job that stays: task, identifier, path inside of it."""
    LOG = "log"
    """A log of a job that stays; a packed copy stands beside it: task, identifier, name."""
    RUN = "run"
    """A run of an experiment: experiment, run."""
    SHARED = "shared"
    """The folder of a partial identifier: task, name, identifier."""


_IN_JOBS = (PieceKind.LEFTOVERS, PieceKind.FILE, PieceKind.LOG)


@dataclass(frozen=True, order=True)
class Piece:
    """Something that is moved and is no whole job, by the names of `PieceKind`."""

    kind: PieceKind
    names: Tuple[str, ...]
    size: Optional[int] = field(default=None, compare=False)
    """Bytes on the disk; None if it was not measured."""
    folder_time: Optional[int] = field(default=None, compare=False)
    """When the folder that it stood in last changed, in nanoseconds since 1970."""
    made: Optional[int] = field(default=None, compare=False)
    """When its job was first ordered, likewise: one that was computed again is another job."""
    link_time: Optional[int] = field(default=None, compare=False)
    """When the link to a log was made, likewise; None where no link led to it."""
    job_time: Optional[int] = field(default=None, compare=False)
    """When the folder of that link last changed, likewise."""

    @classmethod
    def leftovers(cls, key: JobKey, attempt: int, size: Optional[int] = None) -> "Piece":
        """What attempt N of a job left behind."""
        return cls(PieceKind.LEFTOVERS, (key.task, key.identifier, str(attempt)), size)

    @property
    def key(self) -> Optional[JobKey]:
        """The job that it belongs to, which stays; None for what belongs to none."""
        return JobKey(*self.names[:2]) if self.kind in _IN_JOBS else None

    @property
    def attempt(self) -> int:
        """Whose leftovers these are; 0 for anything else."""
        return int(self.names[2]) if self.kind is PieceKind.LEFTOVERS else 0

    @property
    def words(self) -> str:
        """``leftovers of attempt 2``, ``run drmm/20261123-…``"""
        if self.kind is PieceKind.LEFTOVERS:
            return f"leftovers of attempt {self.attempt}"
        if self.kind is PieceKind.SHARED:
            return "shared folder " + "/".join(self.names)
        return f"{self.kind.value} " + "/".join(self.names if self.key is None else self.names[2:])

    def to_json(self) -> Dict[str, Any]:
        return {
            "type": LineType.PIECE.value,
            "kind": self.kind.value,
            "names": list(self.names),
            "size": self.size,
            "folder_time": self.folder_time,
            "made": self.made,
            **({} if self.link_time is None else {"link_time": self.link_time}),
            **({} if self.job_time is None else {"job_time": self.job_time}),
        }

    @classmethod
    def read(cls, fields: Fields) -> "Piece":
        return cls(
            member(PieceKind, fields, "kind"),
            tuple(fields.texts("names")),
            fields.optional_integer("size"),
            fields.optional_integer("folder_time"),
            fields.optional_integer("made"),
            fields.optional_integer("link_time"),
            fields.optional_integer("job_time"),
        )


@dataclass(frozen=True)
class Left:
    """Something that was left where it was."""

    key: Optional[JobKey]
    """The job, or the one that it belongs to; None for what belongs to none."""
    why: str

    def to_json(self) -> Dict[str, Any]:
        key = self.key
        names = {} if key is None else {"task": key.task, "id": key.identifier}
        return {**names, "why": self.why}


@dataclass(frozen=True)
class Head:
    """Who cleaned, and when."""

    name: str
    """The transaction: the name of its folder."""
    at: str
    user: str
    by: ProcessIdentity
    nonce: str
    """Of the cleaner's ticket, the same in all jobs of the transaction."""
    cause: str = ""
    """What asked for it, where no person did."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "type": LineType.HEAD.value,
            "name": self.name,
            "at": self.at,
            "user": self.user,
            "by": self.by.to_json(),
            "nonce": self.nonce,
            **({"cause": self.cause} if self.cause else {}),
        }

    @classmethod
    def read(cls, fields: Fields) -> "Head":
        fields.version()
        return cls(
            name=fields.text("name"),
            at=fields.text("at"),
            user=fields.text("user"),
            by=ProcessIdentity.read(fields.part("by")),
            nonce=fields.text("nonce"),
            cause=fields.optional_text("cause") or "",
        )


@dataclass(frozen=True)
class Journal:
    """``journal.jsonl``, read."""

    head: Head
    removals: Tuple[Removal, ...]
    listed: bool
    """Whether the list is complete; nothing was touched before."""
    left: Tuple[Left, ...] = ()
    """The jobs that were not moved, with why."""
    pieces: Tuple[Piece, ...] = ()


def listing_lines(
    head: Head, removals: Iterable[Removal], pieces: Iterable[Piece] = ()
) -> List[Dict[str, Any]]:
    """The lines that are written before anything is touched."""
    jobs = [removal.to_json() for removal in removals]
    closing = {"type": LineType.LISTED.value, "count": len(jobs)}
    return [head.to_json(), *jobs, *(item.to_json() for item in pieces), closing]


def moved_line(at: str, left: Iterable[Left]) -> Dict[str, Any]:
    """The line that says that the moving is over."""
    return {"type": LineType.MOVED.value, "t": at, "left": [item.to_json() for item in left]}


def undone_line(at: str, user: str, returned: int, kept: Iterable[Left]) -> Dict[str, Any]:
    """The line that says what an undo moved back, and what it did not."""
    return {
        "type": LineType.UNDONE.value,
        "t": at,
        "user": user,
        "returned": returned,
        "kept": [item.to_json() for item in kept],
    }


def parse_journal(data: bytes, where: str) -> Journal:
    """Read a journal.

    An unfinished list is a journal that is not `listed`; a damaged line after the list is passed
    over, because the folders tell what happened. Raises UnreadableError for anything else.
    """
    head: Optional[Head] = None
    removals: List[Removal] = []
    listed = False
    left: Tuple[Left, ...] = ()
    pieces: List[Piece] = []
    for number, line in enumerate(data.splitlines(), start=1):
        place = f"{where}:{number}"
        try:
            fields = _line(line, place)
            kind = member(LineType, fields, "type")
            if kind is LineType.HEAD:
                head = Head.read(fields)
            elif kind is LineType.JOB and not listed:
                removals.append(Removal.read(fields))
            elif kind is LineType.PIECE:
                pieces.append(Piece.read(fields))
            elif kind is LineType.LISTED:
                listed = fields.integer("count") == len(removals)
            elif kind is LineType.MOVED:
                left = tuple(_left(fields))
        except UnreadableError:
            if not listed and number < data.count(b"\n"):
                raise
    if head is None:
        raise UnreadableError("has no head line", where=where)
    return Journal(head, tuple(removals), listed, left, tuple(pieces))


def _line(line: bytes, where: str) -> Fields:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("is truncated or no JSON", where=where) from error
    return _object(value, where)


def _object(value: Any, where: str) -> Fields:
    if not isinstance(value, dict):
        raise UnreadableError("holds no JSON object", where=where)
    return Fields(cast("Dict[str, Any]", value), where)


def _left(fields: Fields) -> Iterable[Left]:
    for item in fields.items("left"):
        part = _object(item, fields.where)
        key = _key(part) if part.optional_text("task") else None
        yield Left(key, part.text("why"))


def _key(fields: Fields) -> JobKey:
    try:
        return JobKey.parse(fields.text("task") + "/" + fields.text("id"))
    except ValueError as error:
        raise UnreadableError(str(error), where=fields.where) from None
