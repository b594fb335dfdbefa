"""Why a job ended as it did, and why one waits: typed, with a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Dict, Optional, Tuple

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import Fields


class Outcome(str, Enum):
    """How an attempt ended, as its N.end says for ever."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DIED = "died"
    """Proved dead without having recorded an end."""
    VOID = "void"
    """Never started; it does not count as an attempt."""


class ReasonKind(str, Enum):
    """What ended an attempt that did not end well."""

    EXCEPTION = "exception"
    EXIT = "exit"
    """The task left with an exit code of its own."""
    SIGNAL = "signal"
    OUT_OF_MEMORY = "out of memory"
    TIME_LIMIT = "time limit"
    DISK_FULL = "disk full"
    HOST_GONE = "host gone"
    NO_EXIT_RECORD = "no exit record"
    UPSTREAM_GONE = "upstream gone"
    CANNOT_LOAD = "cannot load"
    """The task's class or its parameters could not be read back in the job's process."""
    CANCELLED = "cancelled"
    CLEANED = "cleaned"
    LAUNCHER = "launcher"
    """The launcher lost it, or refused it."""


@dataclass(frozen=True)
class Frame:
    """The line of the user's code that an exception came from."""

    file: str
    line: int
    function: str
    source: str
    """The line's text when it happened; the file may have changed since."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "file": self.file,
            "line": self.line,
            "function": self.function,
            "source": self.source,
        }

    @classmethod
    def read(cls, fields: Fields) -> "Frame":
        return cls(
            file=fields.text("file"),
            line=fields.integer("line"),
            function=fields.text("function"),
            source=fields.text("source"),
        )


@dataclass(frozen=True)
class Reason:
    """Why an attempt ended: what kind of thing, and the sentence that people read."""

    kind: ReasonKind
    text: str
    exception: Optional[str] = None
    """The exception's type, qualified unless it is a built-in."""
    frame: Optional[Frame] = None

    def to_json(self) -> Dict[str, Any]:
        data: Dict[str, Any] = {"kind": self.kind.value, "text": self.text}
        if self.exception is not None:
            data["exception"] = self.exception
        if self.frame is not None:
            data["frame"] = self.frame.to_json()
        return data

    @classmethod
    def read(cls, fields: Fields) -> "Reason":
        frame = fields.optional_part("frame")
        return cls(
            kind=member(ReasonKind, fields, "kind"),
            text=fields.text("text"),
            exception=fields.optional_text("exception"),
            frame=None if frame is None else Frame.read(frame),
        )


class WaitKind(str, Enum):
    """What a job that was not launched yet waits for."""

    DEPENDENCY = "dependency"
    """An upstream job that is still to end."""
    CORE = "free core"
    RESOURCE = "resource"
    TOKEN = "token"
    RETRY = "retry"
    """The next attempt, after the back-off."""
    CLEANING = "cleaning"
    """Somebody is moving its folder away just now."""
    SHARED = "shared folder"
    """Another job writes in the folder that both share."""
    HOST = "host"
    """No host can be reached that it could be sent to."""
    RESULT = "result"
    """What it is made from is done, and on its way from the host that alone has all of it."""
    SENT = "sent"
    """Its order was sent to a host that can't be reached now: it may run there, or not."""
    STOPPED = "stopped"
    """Its plan starts nothing more, because a job failed."""
    UPSTREAM_FAILED = "upstream failed"
    """It will not run: the job is blocked."""


@dataclass(frozen=True)
class Wait:
    """Why one job waits."""

    key: JobKey
    kind: WaitKind
    place: int = 0
    """Its place in the queue, from 1; 0 where there is none."""
    on: Tuple[JobKey, ...] = ()
    """The jobs that it waits for, that have what it needs, or that failed before it.

    Those that failed before it are told nearest first.
    """
    what: str = ""
    """The resource or token, why it is tried again, or what is wrong upstream; for people.

    Of a blocked job it is empty where the one upstream failed.
    """
    used: int = 0
    """How much of it others have."""
    total: int = 0
    """How much of it there is; 0 where that is not told."""
    behind: str = ""
    """The run that waited before: what is free is kept for it."""
    until: str = ""
    """When its next attempt is due."""
    host: str = ""
    """The host that it waits for, or on; empty: this machine."""

    def to_json(self) -> Dict[str, Any]:
        data: Dict[str, Any] = {
            "task": self.key.task,
            "id": self.key.identifier,
            "kind": self.kind.value,
        }
        if self.place:
            data["place"] = self.place
        if self.on:
            data["on"] = [str(key) for key in self.on]
        if self.what:
            data["what"] = self.what
        if self.total:
            data["used"], data["total"] = self.used, self.total
        if self.behind:
            data["behind"] = self.behind
        if self.until:
            data["until"] = self.until
        if self.host:
            data["host"] = self.host
        return data

    @classmethod
    def read(cls, fields: Fields) -> "Wait":
        return cls(
            key=read_key(fields),
            kind=member(WaitKind, fields, "kind"),
            place=fields.optional_integer("place") or 0,
            on=read_keys(fields, "on"),
            what=fields.optional_text("what") or "",
            used=fields.optional_integer("used") or 0,
            total=fields.optional_integer("total") or 0,
            behind=fields.optional_text("behind") or "",
            until=fields.optional_text("until") or "",
            host=fields.optional_text("host") or "",
        )


def member(kind: Any, fields: Fields, name: str) -> Any:
    """The member of an Enum that a field names; raises UnreadableError for an unknown one."""
    text = fields.text(name)
    try:
        return kind(text)
    except ValueError:
        raise UnreadableError(
            f"field {name!r} says {text!r}, which this version does not know", where=fields.where
        ) from None


def read_key(fields: Fields) -> JobKey:
    """The job that the fields ``task`` and ``id`` name."""
    try:
        return JobKey.parse(fields.text("task") + "/" + fields.text("id"))
    except ValueError as error:
        raise UnreadableError(str(error), where=fields.where) from None


def read_optional_key(fields: Fields, name: str) -> Optional[JobKey]:
    """The job that one field names as ``task/identifier``, if it is there."""
    text = fields.optional_text(name)
    try:
        return None if text is None else JobKey.parse(text)
    except ValueError as error:
        raise UnreadableError(f"field {name!r}: {error}", where=fields.where) from None


def read_keys(fields: Fields, name: str) -> Tuple[JobKey, ...]:
    """The jobs that a field lists."""
    try:
        return tuple(JobKey.parse(text) for text in fields.texts(name))
    except ValueError as error:
        raise UnreadableError(f"field {name!r}: {error}", where=fields.where) from None
