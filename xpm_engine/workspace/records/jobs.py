"""job.json, the summary that lists are made from, and progress.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields, no_numbers, no_values
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.metrics import numbers_from_json, numbers_to_json
from xpm_engine.workspace.records.mirror import Mirror
from xpm_engine.workspace.records.reasons import Outcome, Reason, member, read_key, read_keys
from xpm_engine.workspace.records.tickets import Usage


@dataclass(frozen=True)
class JobSummary:
    """``job.json``: replaced by the holder of the job's lock alone; the tickets decide."""

    key: JobKey
    attempt: int
    outcome: Optional[Outcome]
    """None while the attempt runs."""
    run: str
    """``experiment/run`` that ordered this attempt."""
    started: str
    user: str
    supervisor: ProcessIdentity
    task: Optional[ProcessIdentity] = None
    """The task's own process, once it was forked."""
    ended: Optional[str] = None
    exit_code: Optional[int] = None
    signal: Optional[int] = None
    reason: Optional[Reason] = None
    usage: Optional[Usage] = None
    metrics: Dict[str, float] = field(default_factory=no_numbers)
    tags: Dict[str, Any] = field(default_factory=no_values)
    params: Dict[str, Any] = field(default_factory=no_values)
    """The parameters that are not at their default, flattened by dotted path."""
    dependencies: Tuple[JobKey, ...] = ()
    resolved: str = ""
    mirror: Optional[Mirror] = None
    """Where the original is, if this is a copy."""
    launcher: Optional[str] = None
    """What the attempt was started with, as its order says; None where that alone tells it."""
    shared: Optional[Tuple[str, ...]] = None
    """``task/name/identifier`` of the folders that it shares; None where only its order says."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "task": self.key.task,
            "id": self.key.identifier,
            "attempt": self.attempt,
            "outcome": None if self.outcome is None else self.outcome.value,
            "run": self.run,
            "started": self.started,
            "user": self.user,
            "supervisor": self.supervisor.to_json(),
            "process": None if self.task is None else self.task.to_json(),
            "ended": self.ended,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "reason": None if self.reason is None else self.reason.to_json(),
            "usage": None if self.usage is None else self.usage.to_json(),
            "metrics": numbers_to_json(self.metrics),
            "tags": self.tags,
            "params": self.params,
            "deps": [str(key) for key in self.dependencies],
            "resolved": self.resolved,
            "launcher": self.launcher,
            **({} if self.shared is None else {"shared": list(self.shared)}),
            **({} if self.mirror is None else {"mirror": self.mirror.to_json()}),
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "JobSummary":
        fields = Fields(data, where)
        fields.version()
        task = fields.optional_part("process")
        reason = fields.optional_part("reason")
        usage = fields.optional_part("usage")
        return cls(
            key=read_key(fields),
            attempt=fields.integer("attempt"),
            outcome=None if data.get("outcome") is None else member(Outcome, fields, "outcome"),
            run=fields.text("run"),
            started=fields.text("started"),
            user=fields.text("user"),
            supervisor=ProcessIdentity.read(fields.part("supervisor")),
            task=None if task is None else ProcessIdentity.read(task),
            ended=fields.optional_text("ended"),
            exit_code=fields.optional_integer("exit_code"),
            signal=fields.optional_integer("signal"),
            reason=None if reason is None else Reason.read(reason),
            usage=None if usage is None else Usage.read(usage),
            metrics=numbers_from_json(data.get("metrics")),
            tags=fields.mapping("tags"),
            params=fields.mapping("params"),
            dependencies=read_keys(fields, "deps"),
            resolved=fields.text("resolved"),
            mirror=Mirror.read(fields.optional_part("mirror")),
            launcher=fields.optional_text("launcher"),
            shared=None if data.get("shared") is None else tuple(fields.texts("shared")),
        )


@dataclass(frozen=True)
class ProgressLevel:
    """One level of a task's progress."""

    fraction: float
    """0 to 1."""
    text: str = ""
    """What is going on at this level: ``epoch 3/5``."""


@dataclass(frozen=True)
class Progress:
    """``progress.json``: how far the task says it is, outermost level first."""

    attempt: int
    at: str
    seconds: float
    """Since the task began, on its own clock (CLOCK_BOOTTIME)."""
    levels: Tuple[ProgressLevel, ...]

    @property
    def fraction(self) -> float:
        """The whole, 0 to 1: the outermost level."""
        return self.levels[0].fraction if self.levels else 0.0

    @property
    def seconds_left(self) -> Optional[float]:
        """Seconds left if it goes on as until now; None before 1 % or 2 s."""
        if self.fraction < 0.01 or self.seconds < 2.0:
            return None
        return self.seconds * (1.0 - self.fraction) / self.fraction

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "attempt": self.attempt,
            "at": self.at,
            "seconds": self.seconds,
            "levels": [{"fraction": x.fraction, "text": x.text} for x in self.levels],
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Progress":
        fields = Fields(data, where)
        fields.version()
        levels: List[ProgressLevel] = []
        for level in fields.parts("levels"):
            fraction = level.number("fraction")
            levels.append(ProgressLevel(min(1.0, max(0.0, fraction)), level.text("text")))
        return cls(
            attempt=fields.integer("attempt"),
            at=fields.text("at"),
            seconds=fields.number("seconds"),
            levels=tuple(levels),
        )
