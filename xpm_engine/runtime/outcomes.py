"""What an ended task's exit status and report say about how it ended."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass, replace

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.atomic import is_full
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind, member

MAX_REPORT = 16384
"""Bytes of a report: it must fit the pipe to the supervisor, which reads when all is over."""


@dataclass(frozen=True)
class Ending:
    """How an attempt ended, as its N.end will say."""

    outcome: Outcome
    exit_code: int | None = None
    signal: int | None = None
    reason: Reason | None = None


@dataclass(frozen=True)
class BadEnd:
    """Why a task did not end well: told by itself, or known to the supervisor that stopped it."""

    outcome: Outcome
    reason: Reason

    def to_report(self) -> bytes:
        """What the task writes to its supervisor."""
        data = {"outcome": self.outcome.value, "reason": self.reason.to_json()}
        return json.dumps(data).encode("ascii")[:MAX_REPORT]

    @classmethod
    def from_report(cls, report: bytes) -> BadEnd | None:
        """What the task wrote; None for nothing."""
        if not report:
            return None
        try:
            fields = Fields(json.loads(report), "the task's report")
            return cls(member(Outcome, fields, "outcome"), Reason.read(fields.part("reason")))
        except (ValueError, UnreadableError, AttributeError):
            text = "its report is cut off: see its stderr"
            return cls(Outcome.FAILED, Reason(ReasonKind.EXCEPTION, text))


@dataclass(frozen=True)
class Ended:
    """What the supervisor saw of a task's end."""

    status: int
    """As of wait(2)."""
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    """Of its largest process; where its memory is limited, of all together."""
    stop: BadEnd | None = None
    """Why the supervisor stopped it, if it did."""
    kernel_killed: bool = False
    """Whether it was killed while the kernel ended processes for the lack of memory."""


def asked_to_stop() -> BadEnd:
    """A person or a plan asked for it."""
    return BadEnd(Outcome.CANCELLED, Reason(ReasonKind.CANCELLED, "asked to stop"))


def out_of_time(limit: float) -> BadEnd:
    """It ran for `limit` seconds."""
    text = f"its time limit of {limit:,g} s was over"
    return BadEnd(Outcome.FAILED, Reason(ReasonKind.TIME_LIMIT, text))


def over_memory(held: float, limit: float) -> BadEnd:
    """It held more than `limit` bytes."""
    text = f"it held {held / 1e6:,.0f} MB of memory, its limit is {limit / 1e6:,.0f} MB"
    return BadEnd(Outcome.FAILED, Reason(ReasonKind.OUT_OF_MEMORY, text))


def no_logs(error: OSError) -> BadEnd:
    """Its folder or its log files could not be opened."""
    kind = ReasonKind.DISK_FULL if is_full(error) else ReasonKind.LAUNCHER
    text = f"can't open {error.filename or 'its log'}: {error.strerror}"
    return BadEnd(Outcome.FAILED, Reason(kind, text))


def ending_of(ended: Ended, report: bytes) -> Ending:
    """Derive the ending from what the supervisor saw and what the task itself reported.

    A task that was stopped and did not end well ended for that reason, whatever else it met on
    its way out: the exception is kept beside it.
    """
    told = BadEnd.from_report(report)
    status, stop = ended.status, ended.stop
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if stop is not None:
            return Ending(stop.outcome, signal=number, reason=stop.reason)
        return Ending(Outcome.FAILED, signal=number, reason=_of_signal(number, ended.kernel_killed))
    code = os.waitstatus_to_exitcode(status)
    if code == 0 and told is None:
        return Ending(Outcome.DONE, exit_code=0)
    if stop is not None:
        met = None if told is None else told.reason
        reason = stop.reason
        if met is not None:
            reason = replace(reason, exception=met.exception, frame=met.frame)
        return Ending(stop.outcome, exit_code=code, reason=reason)
    if told is not None:
        return Ending(told.outcome, exit_code=code, reason=told.reason)
    text = f"left with exit code {code} (os._exit, or code outside Python)"
    return Ending(Outcome.FAILED, exit_code=code, reason=Reason(ReasonKind.EXIT, text))


def _of_signal(number: int, kernel_killed: bool) -> Reason:
    if kernel_killed:
        text = "killed by the kernel, which was ending processes because memory ran out"
        return Reason(ReasonKind.OUT_OF_MEMORY, text)
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    text = f"killed by {name}"
    if number == signal.SIGKILL:
        text += "; the system does this when memory runs out"
    return Reason(ReasonKind.SIGNAL, text)
