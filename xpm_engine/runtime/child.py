"""From the supervisor to the task's process: fork, and a clean start on the other side."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

from xpm_engine.runtime import system
from xpm_engine.runtime.context import JobContext
from xpm_engine.runtime.outcomes import MAX_REPORT, no_logs
from xpm_engine.workspace.layout import link_to_log
from xpm_engine.workspace.records.tickets import Launch

NONCE_VARIABLE = "XPM_NONCE"
"""In the environment of a task and all it starts: the nonce of its order."""


@dataclass(frozen=True)
class RunningTask:
    """A forked task."""

    pid: int
    """Also its process group."""
    report_from: int
    begin_to: int

    def begin(self) -> None:
        """Let it execute: until now it has only prepared itself."""
        with suppress(BrokenPipeError):
            os.write(self.begin_to, b"\0")
        os.close(self.begin_to)

    def give_up(self) -> None:
        """End it before it has executed anything, and wait for that."""
        os.close(self.begin_to)
        os.close(self.report_from)
        os.waitpid(self.pid, 0)

    def report(self) -> bytes:
        """What the task reported; to be asked once, after its end.

        Not read to the end of the pipe: something the task started may still hold it open.
        """
        try:
            return os.read(self.report_from, MAX_REPORT)
        except BlockingIOError:
            return b""
        finally:
            os.close(self.report_from)


def fork_task(
    context: JobContext,
    launch: Launch,
    locks: Sequence[int],
    run_task: Callable[[JobContext, Launch, int], int],
) -> RunningTask:
    """Fork the task's process, with its logs as standard output and error; `begin` lets it go.

    It holds the `locks` too, and dies with its supervisor (Linux).
    """
    report_from, report_to = os.pipe()
    begin_from, begin_to = os.pipe()
    os.set_blocking(report_from, False)
    supervisor = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.close(report_from)
            os.close(begin_to)
            os.setpgid(0, 0)
            system.die_with_parent(supervisor)
            _reset_signals()
            os.register_at_fork(after_in_child=lambda: _close(locks))
            try:
                _redirect(context)
            except OSError as error:
                os.write(report_to, no_logs(error).to_report())
                raise
            os.environ[NONCE_VARIABLE] = launch.nonce
            if os.read(begin_from, 1):
                os.close(begin_from)
                code = run_task(context, launch, report_to)
                _leave()
        except BaseException:  # noqa: BLE001 (nothing may escape into the supervisor's code)
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(report_to)
    os.close(begin_from)
    with suppress(OSError):
        os.setpgid(pid, pid)
    return RunningTask(pid, report_from, begin_to)


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


def _redirect(context: JobContext) -> None:
    job, attempt = context.job, context.attempt
    os.chdir(job.root)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for target, path, link in (
        (1, job.stdout(attempt), job.stdout_link),
        (2, job.stderr(attempt), job.stderr_link),
    ):
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(log, target)
        os.close(log)
        with suppress(FileExistsError):
            # Those of earlier attempts are gone by now: what stands there is the task's own.
            os.symlink(link_to_log(os.path.basename(path)), link)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = _log_stream(1)
    sys.stderr = _log_stream(2)


def _log_stream(descriptor: int) -> TextIO:
    """A line-buffered stream that a lone surrogate does not break."""
    return os.fdopen(descriptor, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _leave() -> None:
    """What the interpreter does at its end, which os._exit would leave out."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        with suppress(OSError):
            os.close(descriptor)
