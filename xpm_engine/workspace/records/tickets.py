"""The three tickets of an attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Iterable, Optional, Tuple

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields, no_numbers, no_values
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.metrics import numbers_from_json, numbers_to_json
from xpm_engine.workspace.records.mirror import Mirror
from xpm_engine.workspace.records.reasons import Outcome, Reason, member, read_key, read_keys


class LaunchedBy(str, Enum):
    """Who claimed an attempt."""

    PLAN = "plan"
    RETRY = "retry"
    CLEAN = "clean"
    """A cleaner: nobody may run it until the ticket is void or the folder is gone."""


def awaited(dependencies: Iterable[JobKey], early: Iterable[str]) -> Tuple[JobKey, ...]:
    """The jobs that must be done before one starts that may have `early` files of others."""
    soon = {"/".join(name.split("/", 2)[:2]) for name in early}
    return tuple(key for key in dependencies if not soon or str(key) not in soon)


@dataclass(frozen=True)
class Retrying:
    """When the plan is to try a job again, and before which others it runs."""

    most: int = 0
    """How often."""
    kinds: Optional[Tuple[str, ...]] = None
    """After which reasons; None: after those that are no fault of the task."""
    priority: int = 0

    def to_json(self) -> Dict[str, Any]:
        """Beside the other fields of an order; what is as usual is left out."""
        data: Dict[str, Any] = {}
        if self.most:
            data["retries"] = self.most
        if self.kinds is not None:
            data["retry_on"] = list(self.kinds)
        if self.priority:
            data["priority"] = self.priority
        return data

    @classmethod
    def read(cls, fields: Fields) -> "Retrying":
        kinds = fields.texts("retry_on") if "retry_on" in fields.data else None
        return cls(
            fields.optional_integer("retries") or 0,
            None if kinds is None else tuple(kinds),
            fields.optional_integer("priority") or 0,
        )


NO_RETRIES = Retrying()


@dataclass(frozen=True)
class Launch:
    """``N.launch``: the whole order."""

    nonce: str
    key: JobKey
    attempt: int
    by: LaunchedBy
    at: str
    driver: ProcessIdentity
    """The scheduler or verb that claimed it."""
    run: str = ""
    """``experiment/run`` that ordered it; empty for a cleaner."""
    params: Dict[str, Any] = field(default_factory=no_values)
    """A `ParamsRecord` as JSON: parameters, hash tree, and where the code is."""
    resolved: str = ""
    """The resolved digest."""
    dependencies: Tuple[JobKey, ...] = ()
    early: Tuple[str, ...] = ()
    """``task/identifier/path``: files of jobs that it does not wait for."""
    tags: Dict[str, Any] = field(default_factory=no_values)
    resources: Dict[str, Any] = field(default_factory=no_values)
    launcher: str = ""
    resumable: bool = False
    """Whether a later attempt goes on with the files of this one."""
    project: str = ""
    """``name@commit``: the plan's project and its first commit; empty where there is none."""
    shared: Tuple[str, ...] = ()
    """``task/name/identifier`` of the folders that it shares, one running job at a time."""
    retrying: Retrying = NO_RETRIES

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "nonce": self.nonce,
            "task": self.key.task,
            "id": self.key.identifier,
            "attempt": self.attempt,
            "by": self.by.value,
            "at": self.at,
            "driver": self.driver.to_json(),
            "run": self.run,
            "params": self.params,
            "resolved": self.resolved,
            "deps": [str(key) for key in self.dependencies],
            "tags": self.tags,
            "resources": self.resources,
            "launcher": self.launcher,
            "resumable": self.resumable,
            "project": self.project,
            "shared": list(self.shared),
            **({"early": list(self.early)} if self.early else {}),
            **self.retrying.to_json(),
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Launch":
        fields = Fields(data, where)
        fields.version()
        return cls(
            nonce=fields.text("nonce"),
            key=read_key(fields),
            attempt=fields.integer("attempt"),
            by=member(LaunchedBy, fields, "by"),
            at=fields.text("at"),
            driver=ProcessIdentity.read(fields.part("driver")),
            run=fields.text("run"),
            params=fields.mapping("params"),
            resolved=fields.text("resolved"),
            dependencies=read_keys(fields, "deps"),
            tags=fields.mapping("tags"),
            resources=fields.mapping("resources"),
            launcher=fields.text("launcher"),
            resumable=fields.flag("resumable"),
            project=fields.optional_text("project") or "",
            shared=tuple(fields.texts("shared")),
            early=tuple(fields.texts("early")),
            retrying=Retrying.read(fields),
        )


def lists_none(data: bytes) -> bool:
    """Whether the bytes of a ``N.launch`` say for certain that it shares no folder.

    Without parsing them, as `dumps` writes them: of very many jobs most share none.
    """
    return data.endswith(b"}") and data.count(b'"shared":[]') == data.count(b'"shared"') > 0


@dataclass(frozen=True)
class Start:
    """``N.start``: who runs it, or that nobody ever will."""

    nonce: str
    launch: str
    """The nonce of the launch it answers."""
    by: ProcessIdentity
    """The supervisor; or, for a void start, who voided it."""
    at: str
    user: str
    void: bool = False
    why: str = ""
    """Why it was voided, for people."""
    mirror: Optional[Mirror] = None
    """Where it started, if that is another host's folder: nothing is proved about it from here."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "nonce": self.nonce,
            "launch": self.launch,
            "by": self.by.to_json(),
            "at": self.at,
            "user": self.user,
            "void": self.void,
            "why": self.why,
            **({} if self.mirror is None else {"mirror": self.mirror.to_json()}),
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Start":
        fields = Fields(data, where)
        fields.version()
        return cls(
            nonce=fields.text("nonce"),
            launch=fields.text("launch"),
            by=ProcessIdentity.read(fields.part("by")),
            at=fields.text("at"),
            user=fields.text("user"),
            void=fields.flag("void"),
            why=fields.text("why"),
            mirror=Mirror.read(fields.optional_part("mirror")),
        )


@dataclass(frozen=True)
class Usage:
    """What an attempt used, measured by its supervisor (wait4 and CLOCK_BOOTTIME)."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int

    def to_json(self) -> Dict[str, Any]:
        return {
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "peak_bytes": self.peak_bytes,
        }

    @classmethod
    def read(cls, fields: Fields) -> "Usage":
        return cls(
            seconds=fields.number("seconds"),
            cpu_seconds=fields.number("cpu_seconds"),
            peak_bytes=fields.integer("peak_bytes"),
        )


@dataclass(frozen=True)
class End:
    """``N.end``: how it ended, for ever."""

    nonce: str
    outcome: Outcome
    at: str
    by: ProcessIdentity
    """The supervisor, or the reaper that had proof."""
    exit_code: Optional[int] = None
    signal: Optional[int] = None
    reason: Optional[Reason] = None
    usage: Optional[Usage] = None
    metrics: Dict[str, float] = field(default_factory=no_numbers)
    """The last value of each metric."""
    resolved: str = ""
    project: str = ""
    """That of its N.launch, so that reusing a result needs no other file."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "nonce": self.nonce,
            "outcome": self.outcome.value,
            "at": self.at,
            "by": self.by.to_json(),
            "exit_code": self.exit_code,
            "signal": self.signal,
            "reason": None if self.reason is None else self.reason.to_json(),
            "usage": None if self.usage is None else self.usage.to_json(),
            "metrics": numbers_to_json(self.metrics),
            "resolved": self.resolved,
            "project": self.project,
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "End":
        fields = Fields(data, where)
        fields.version()
        reason = fields.optional_part("reason")
        usage = fields.optional_part("usage")
        return cls(
            nonce=fields.text("nonce"),
            outcome=member(Outcome, fields, "outcome"),
            at=fields.text("at"),
            by=ProcessIdentity.read(fields.part("by")),
            exit_code=fields.optional_integer("exit_code"),
            signal=fields.optional_integer("signal"),
            reason=None if reason is None else Reason.read(reason),
            usage=None if usage is None else Usage.read(usage),
            metrics=numbers_from_json(data.get("metrics")),
            resolved=fields.text("resolved"),
            project=fields.optional_text("project") or "",
        )


def read_done(data: Dict[str, Any], where: str) -> Optional[Tuple[str, str]]:
    """Resolved digest and project of an ``N.end`` that says done; None if it says anything else.

    A plan that is run again asks nothing more of its finished jobs, and there are thousands.
    Raises UnreadableError.
    """
    fields = Fields(data, where)
    fields.version()
    if data.get("outcome") != Outcome.DONE.value:
        return None
    return fields.text("resolved"), fields.optional_text("project") or ""


@dataclass(frozen=True)
class Attempt:
    """The tickets of one attempt, as far as they exist."""

    number: int
    launch: Launch
    start: Optional[Start] = None
    end: Optional[End] = None

    @property
    def void(self) -> bool:
        """Whether it never started and never will."""
        return (self.start is not None and self.start.void) or (
            self.end is not None and self.end.outcome is Outcome.VOID
        )
