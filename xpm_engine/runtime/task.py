"""The task's own process: rebuild the task, execute it, and report why it failed if it did."""

from __future__ import annotations

import linecache
import os
import signal
import sys
import traceback
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

from xpm_engine.errors import GracefulTimeout, TaskCancelled, XpmError
from xpm_engine.runtime import progress
from xpm_engine.runtime.context import JobContext, enter_job, remaining_time
from xpm_engine.runtime.order import params_of
from xpm_engine.runtime.outcomes import BadEnd
from xpm_engine.tracebacks import is_installed, message_of
from xpm_engine.workspace.atomic import dumps, is_full, write_atomic
from xpm_engine.workspace.layout import workspace_of_job
from xpm_engine.workspace.records.reasons import Frame, Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.tickets import Launch

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run_task(context: JobContext, launch: Launch, report_to: int) -> int:
    """Execute the task of `launch` in this process; its exit code.

    A bad end is written to the descriptor `report_to`, and the traceback, without our own
    frames, to standard error.
    """
    enter_job(context)
    report, code = _guarded(context, launch)
    if report is not None:
        with suppress(OSError):
            os.write(report_to, report.to_report())
    progress.flush()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    return code


_TERM = (signal.SIGTERM,)


class _Cancelling:
    """SIGTERM as a TaskCancelled, raised once, and only while the task's own code runs."""

    def __init__(self) -> None:
        self.asked = False
        self._may_raise = True
        signal.signal(signal.SIGTERM, self._cancel)
        # Held back meanwhile: it would find a child that has not forgotten the handler yet.
        os.register_at_fork(
            before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _TERM),
            after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _TERM),
            after_in_child=self._forked,
        )

    def over(self) -> None:
        """The task's code has ended: what comes now is too late to reach it."""
        self._may_raise = False

    def _forked(self) -> None:
        """In what the task forks: who ends it, as a pool does its workers, relies on SIGTERM."""
        if signal.getsignal(signal.SIGTERM) == self._cancel:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _TERM)

    def _cancel(self, number: int, frame: FrameType | None) -> None:
        if self._may_raise and not self.asked:
            self.asked = True
            raise TaskCancelled("its time is over" if remaining_time() == 0 else "asked to stop")


def _guarded(context: JobContext, launch: Launch) -> tuple[BadEnd | None, int]:
    cancelling = _Cancelling()
    try:
        task = _load(context, launch)
    except BaseException as error:  # noqa: BLE001 (a user's module may raise anything)
        cancelling.over()
        return _not_loaded(error, context), 1
    try:
        for light in task.before:
            light.execute()
        _hand_over(context, task.execute())
        cancelling.over()
    except BaseException as error:  # noqa: BLE001 (a task may raise anything)
        cancelling.over()
        end, code = _raised(error, context)
    else:
        end, code = None, 0
    if end is None and cancelling.asked:
        # It caught TaskCancelled and went on: nobody can tell whether its result is whole.
        text = "asked to stop, and returned without an error after that"
        return BadEnd(Outcome.CANCELLED, Reason(ReasonKind.CANCELLED, text)), 1
    return end, code


def _hand_over(context: JobContext, returned: object) -> None:
    """Keep what `execute` returned for the plan; nothing of an earlier attempt's is left."""
    path = context.job.result
    if returned is None:
        with suppress(FileNotFoundError):
            os.unlink(path)
        return
    from xpm_engine.config.paths import PathRoots, using_roots
    from xpm_engine.config.results import result_record

    with using_roots(PathRoots(workspace_of_job(context.job.root), os.getcwd())):
        record = result_record(returned, context.attempt)
    write_atomic(path, dumps(record.to_json()))


_IMPORTED_TOO = (
    "  next:  a job imports the plan, too, without the plan's arguments: put what the plan does "
    'under `if __name__ == "__main__":`\n'
)


_NOT_SHIPPED = (
    "  next:  this file did not come with the plan's code: let git know it, or name it in "
    "[code] include of xpm.toml\n"
)


def _not_loaded(error: BaseException, context: JobContext) -> BadEnd:
    if isinstance(error, TaskCancelled):
        return BadEnd(Outcome.CANCELLED, Reason(ReasonKind.CANCELLED, error.what))
    if isinstance(error, XpmError):
        _tell(f"{error}\n")
        if error.__cause__ is not None:
            _print_users_part(error.__cause__)
        return BadEnd(Outcome.FAILED, Reason(ReasonKind.CANNOT_LOAD, error.what))
    _print_users_part(error)
    _tell(_NOT_SHIPPED if _is_left_at_home(error, context) else _IMPORTED_TOO)
    reason = _reason_of(error)
    text = f"the plan's code raised while it was imported: {reason.text}"
    return BadEnd(
        Outcome.FAILED, Reason(ReasonKind.CANNOT_LOAD, text, reason.exception, reason.frame)
    )


def _is_left_at_home(error: BaseException, context: JobContext) -> bool:
    """Whether a file was looked for among code that was shipped here, and is not there."""
    code = workspace_of_job(context.job.root).code
    name = error.filename if isinstance(error, FileNotFoundError) else None
    return isinstance(name, str) and os.path.abspath(name).startswith(f"{code}/")


def _raised(error: BaseException, context: JobContext) -> tuple[BadEnd | None, int]:
    if isinstance(error, TaskCancelled):
        return BadEnd(Outcome.CANCELLED, Reason(ReasonKind.CANCELLED, error.what)), 1
    if isinstance(error, GracefulTimeout):
        return BadEnd(Outcome.FAILED, Reason(ReasonKind.TIME_LIMIT, error.what)), 1
    if isinstance(error, SystemExit):
        return _of_exit(error)
    _print_users_part(error)
    if _is_left_at_home(error, context):
        _tell(_NOT_SHIPPED)
    return BadEnd(Outcome.FAILED, _reason_of(error)), 1


def _load(context: JobContext, launch: Launch) -> Any:
    from xpm_engine.config import living
    from xpm_engine.config.importing import use_code
    from xpm_engine.config.load import load_order
    from xpm_engine.config.paths import PathRoots

    living.enter_job()
    params = params_of(launch, context.job.launch(context.attempt))
    use_code(params.code)
    roots = PathRoots(workspace=workspace_of_job(context.job.root), project=params.code.project)
    return load_order(params, roots=roots)


def _of_exit(error: SystemExit) -> tuple[BadEnd | None, int]:
    if error.code is None or error.code == 0:
        return None, 0
    if isinstance(error.code, int):
        code, text = error.code & 0xFF, f"left with exit code {error.code & 0xFF}"
    else:
        _tell(f"{error.code}\n")
        code, text = 1, str(error.code)
    return BadEnd(Outcome.FAILED, Reason(ReasonKind.EXIT, text[:500])), code


def _reason_of(error: BaseException) -> Reason:
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    message = " ".join(message_of(error).split())[:500]
    text = f"{kind.__qualname__}: {message}" if message else kind.__qualname__
    return Reason(
        _kind_of(error), text, exception=name, frame=_last_user_frame(error.__traceback__)
    )


def _kind_of(error: BaseException) -> ReasonKind:
    if isinstance(error, MemoryError) or type(error).__qualname__ == "OutOfMemoryError":
        return ReasonKind.OUT_OF_MEMORY
    if is_full(error):
        return ReasonKind.DISK_FULL
    return ReasonKind.EXCEPTION


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
        if not is_installed(file):
            found = other
    chosen = found or other
    if chosen is None:
        return None
    file, line, function = chosen
    source = linecache.getline(file, line).strip()[:300]
    return Frame(file, line, function, source)


def _print_users_part(error: BaseException) -> None:
    """Print a traceback without our own frames at its top."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, trace))
    except Exception as broken:  # noqa: BLE001 (a user's exception may not even be printable)
        text = f"{type(error).__name__} (can't be printed: {type(broken).__name__})\n"
    _tell(text)


def _tell(text: str) -> None:
    """Write to standard error where it can be; what is reported does not depend on it.

    The disk may be full, and the task may have closed its streams or put others in their place.
    """
    with suppress(Exception):
        sys.stderr.write(text)
