"""The warm helper: one interpreter a driver, that imports the plan's modules once and forks jobs.

``python -m xpm_engine.runtime.warm FD`` reads requests, a JSON line each, from the socket FD, and
answers each with a line. It ends when its driver's end of the socket closes; the supervisors that
it forked are in sessions of their own, and go on.
"""

from __future__ import annotations

import ctypes  # noqa: F401 # pyright: ignore[reportUnusedImport] (jobs need it: loaded once)
import gc
import json
import os
import random
import signal
import socket
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import xpm_engine.config.load  # noqa: F401 # pyright: ignore[reportUnusedImport] (as above)
from xpm_engine.config.importing import import_class, use_code
from xpm_engine.errors import XpmError
from xpm_engine.runtime import fork_safety, memory, open_files
from xpm_engine.runtime.context import JobContext
from xpm_engine.runtime.order import params_of, read_launch
from xpm_engine.runtime.supervisor import supervise
from xpm_engine.runtime.task import run_task
from xpm_engine.tracebacks import in_words
from xpm_engine.workspace import processes
from xpm_engine.workspace.layout import JobPaths
from xpm_engine.workspace.records.tickets import Launch


def main() -> None:
    """Serve one driver until it closes its end."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    sys.argv[1:] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nobody waits for the supervisors here: the kernel forgets them when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    helper = _Helper(connection)
    # A plan that ends while its job is being forked is not there to be told.
    with connection, connection.makefile("rb") as requests, suppress(ConnectionError):
        for line in requests:
            answer = helper.answer(json.loads(line))
            connection.sendall(json.dumps(answer).encode("ascii") + b"\n")


class _Helper:
    """What was imported so far, and whether forking it is safe."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._imported: set[tuple[str, str]] = set()
        self._path: tuple[str, ...] = ()
        self._files = fork_safety.ProjectFiles()
        # Asked once here, it is known in every job.
        self._identity = processes.own_identity()
        processes.user_name()
        memory.kernel_kills()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Fork the supervisor that a request asks for, or say why not."""
        if "environment" in request:
            os.environ.clear()
            os.environ.update(request["environment"])
        context = JobContext(JobPaths(request["root"]), request["attempt"], request["nonce"])
        refusal = self._import_for(context) or fork_safety.refusal() or self._files.changed()
        if refusal:
            return {"refused": refusal}
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._supervise(context, request["log"])
        # One that has ended by now has no identity any more: say one that is proved dead.
        gone = replace(self._identity, pid=pid, start_ticks=0)
        identity = processes.identity_of(pid) or gone
        return {"pid": pid, "process": identity.to_json()}

    def _import_for(self, context: JobContext) -> str:
        """Import what a job is made of; why that failed, or nothing.

        A failure is not told from here: the job that then runs in a fresh interpreter fails in the
        same way, with the traceback in its own log.
        """
        try:
            launch = read_launch(context.job, context.attempt)
            params = params_of(launch, context.job.launch(context.attempt))
            needed = {(record.module, record.qualname) for record in params.objects}
            missing = needed - self._imported
            if missing or params.code.sys_path != self._path:
                with _waiting_for_children():
                    use_code(params.code)
                    self._path = params.code.sys_path
                    for name in sorted(missing):
                        import_class(*name, params.code)
                        self._imported.add(name)
        except (XpmError, FileNotFoundError) as error:
            return f"{error}"
        except BaseException as error:  # noqa: BLE001 (a user's module may raise anything)
            return f"importing its code raised {in_words(error)}"
        if self._files.remember():
            # What is loaded by now is shared with the jobs: a collection would copy its pages.
            gc.collect()
            gc.freeze()
        return ""

    def _supervise(self, context: JobContext, log: str) -> None:
        """In the forked process: become a supervisor like any other, and never return."""
        code = 70
        try:
            os.setsid()
            self._connection.close()
            open_files.separate()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _report_to(log)
            supervise(context, _run_reseeded)
            code = 0
        except BaseException:  # noqa: BLE001 (told in the run's log, as a fresh one's is)
            traceback.print_exc()
        finally:
            os._exit(code)


@contextmanager
def _waiting_for_children() -> Generator[None]:
    """Let a user's module learn how what it runs has ended: to ignore SIGCHLD hides that."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        # Supervisors that ended meanwhile were not forgotten by the kernel.
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _report_to(log: str) -> None:
    """Send what our own code may say to the run's log, as a fresh supervisor does."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _run_reseeded(context: JobContext, launch: Launch, report_to: int) -> int:
    """Run the task with random generators of its own: forks would all draw the same numbers."""
    random.seed()
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()
    return run_task(context, launch, report_to)


if __name__ == "__main__":
    main()
