"""What an ended task's exit status and report say about how it ended."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind, member


@dataclass(frozen=True)
class Ending:
    """How a task ended."""

    outcome: Outcome
    exit_code: int | None = None
    signal: int | None = None
    reason: Reason | None = None


def ending_of(status: int, report: bytes, *, cancelled: bool) -> Ending:
    """Derive the ending from wait(2)'s `status` and what the task itself reported.

    `cancelled` says that a person or a plan asked it to stop.
    """
    told = _read_report(report)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if cancelled:
            return Ending(Outcome.CANCELLED, signal=number, reason=_asked())
        return Ending(Outcome.FAILED, signal=number, reason=_of_signal(number))
    code = os.waitstatus_to_exitcode(status)
    if code == 0 and told is None:
        return Ending(Outcome.DONE, exit_code=0)
    if cancelled and (told is None or told[0] is Outcome.CANCELLED):
        return Ending(Outcome.CANCELLED, exit_code=code, reason=_asked())
    if told is not None:
        return Ending(told[0], exit_code=code, reason=told[1])
    text = f"left with exit code {code} (os._exit, or code outside Python)"
    return Ending(Outcome.FAILED, exit_code=code, reason=Reason(ReasonKind.EXIT, text))


def _read_report(report: bytes) -> tuple[Outcome, Reason] | None:
    if not report:
        return None
    try:
        fields = Fields(json.loads(report), "the task's report")
        return member(Outcome, fields, "outcome"), Reason.read(fields.part("reason"))
    except (ValueError, UnreadableError, AttributeError):
        return Outcome.FAILED, Reason(ReasonKind.EXCEPTION, "its report is cut off: see its stderr")


def _asked() -> Reason:
    return Reason(ReasonKind.CANCELLED, "asked to stop")


def _of_signal(number: int) -> Reason:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    text = f"killed by {name}"
    if number == signal.SIGKILL:
        text += "; the system does this when memory runs out"
    return Reason(ReasonKind.SIGNAL, text)
