"""The task's own process: rebuild the task, execute it, and report why it failed if it did."""

from __future__ import annotations

import errno
import json
import linecache
import os
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

from xpm_engine.errors import TaskCancelled, XpmError
from xpm_engine.runtime import progress
from xpm_engine.runtime.context import JobContext, enter_job
from xpm_engine.workspace.layout import workspace_of_job
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.records.reasons import Frame, Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.tickets import Launch

MAX_REPORT = 16384
"""Bytes of a report: it must fit the pipe to the supervisor, which reads when all is over."""

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True)
class Report:
    """What the task's process tells its supervisor about a bad end."""

    outcome: Outcome
    reason: Reason

    def to_bytes(self) -> bytes:
        data = json.dumps({"outcome": self.outcome.value, "reason": self.reason.to_json()})
        return data.encode("ascii")


def run_task(context: JobContext, launch: Launch, report_to: int) -> int:
    """Execute the task of `launch` in this process; its exit code.

    A bad end is written to the descriptor `report_to`, and the traceback, without our own
    frames, to standard error.
    """
    enter_job(context)
    signal.signal(signal.SIGTERM, _cancel)
    report, code = _guarded(context, launch)
    if report is not None:
        with suppress(OSError):
            os.write(report_to, report.to_bytes()[:MAX_REPORT])
    progress.flush()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    return code


def _guarded(context: JobContext, launch: Launch) -> tuple[Report | None, int]:
    try:
        task = _load(context, launch)
    except XpmError as error:
        sys.stderr.write(f"{error}\n")
        if error.__cause__ is not None:
            _print_users_part(error.__cause__)
        return Report(Outcome.FAILED, Reason(ReasonKind.CANNOT_LOAD, error.what)), 1
    except BaseException as error:  # noqa: BLE001 (a user's module may raise anything)
        _print_users_part(error)
        reason = _reason_of(error)
        text = f"the plan's code raised while it was imported: {reason.text}"
        return (
            Report(
                Outcome.FAILED,
                Reason(ReasonKind.CANNOT_LOAD, text, reason.exception, reason.frame),
            ),
            1,
        )
    try:
        task.execute()
    except TaskCancelled as error:
        return Report(Outcome.CANCELLED, Reason(ReasonKind.CANCELLED, error.what)), 1
    except SystemExit as error:
        return _of_exit(error)
    except BaseException as error:  # noqa: BLE001 (a task may raise anything)
        _print_users_part(error)
        return Report(Outcome.FAILED, _reason_of(error)), 1
    return None, 0


def _load(context: JobContext, launch: Launch) -> Any:
    from xpm_engine.config import living
    from xpm_engine.config.importing import use_code
    from xpm_engine.config.load import load_order
    from xpm_engine.config.paths import PathRoots

    living.enter_job()
    params = ParamsRecord.from_json(launch.params, context.job.launch(context.attempt))
    use_code(params.code)
    roots = PathRoots(workspace=workspace_of_job(context.job.root), project=params.code.project)
    return load_order(params, roots=roots)


def _cancel(number: int, frame: FrameType | None) -> None:
    raise TaskCancelled("asked to stop")


def _of_exit(error: SystemExit) -> tuple[Report | None, int]:
    if error.code is None or error.code == 0:
        return None, 0
    if isinstance(error.code, int):
        code, text = error.code & 0xFF, f"left with exit code {error.code & 0xFF}"
    else:
        sys.stderr.write(f"{error.code}\n")
        code, text = 1, str(error.code)
    return Report(Outcome.FAILED, Reason(ReasonKind.EXIT, text[:500])), code


def _reason_of(error: BaseException) -> Reason:
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    message = " ".join(_message(error).split())[:500]
    text = f"{kind.__qualname__}: {message}" if message else kind.__qualname__
    return Reason(
        _kind_of(error), text, exception=name, frame=_last_user_frame(error.__traceback__)
    )


def _kind_of(error: BaseException) -> ReasonKind:
    if isinstance(error, MemoryError) or type(error).__qualname__ == "OutOfMemoryError":
        return ReasonKind.OUT_OF_MEMORY
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ReasonKind.DISK_FULL
    return ReasonKind.EXCEPTION


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 (a user's __str__ may raise anything)
        return f"(its message can't be read: {type(broken).__name__})"


def _last_user_frame(trace: TracebackType | None) -> Frame | None:
    """The innermost frame in the user's code: not ours, not installed, not the library's.

    Where there is none, the innermost frame that is not ours.
    """
    found = None
    other = None
    for frame, line in traceback.walk_tb(trace):
        file = frame.f_code.co_filename
        if file.startswith(_OURS):
            continue
        other = (file, line, frame.f_code.co_name)
        if not _is_installed(file):
            found = other
    chosen = found or other
    if chosen is None:
        return None
    file, line, function = chosen
    source = linecache.getline(file, line).strip()[:300]
    return Frame(file, line, function, source)


def _is_installed(file: str) -> bool:
    return (
        file.startswith(("<", os.path.dirname(os.__file__)))
        or "/site-packages/" in file
        or "/dist-packages/" in file
    )


def _print_users_part(error: BaseException) -> None:
    """Print a traceback without our own frames at its top."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    try:
        traceback.print_exception(type(error), error, trace)
    except Exception as broken:  # noqa: BLE001 (a user's exception may not even be printable)
        sys.stderr.write(f"{type(error).__name__} (can't be printed: {type(broken).__name__})\n")
