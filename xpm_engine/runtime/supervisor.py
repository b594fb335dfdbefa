"""The supervisor: the small parent of every task, which records how it ended whatever happens.

The order of its writes is the contract of STATE.md: lock, N.start, leftovers moved, params.json,
job.json, fork; and at the end: task reaped, its processes ended, N.end on the disk, job.json, and
its exit frees the lock.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from types import FrameType

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.runtime import child, leftovers, system
from xpm_engine.runtime.context import JobContext
from xpm_engine.runtime.outcomes import Ending, ending_of
from xpm_engine.workspace import aliases, processes, tickets
from xpm_engine.workspace.atomic import append_line, dumps, make_folders, read_object, write_atomic
from xpm_engine.workspace.layout import JobKey, workspace_of_job
from xpm_engine.workspace.records.events import Event, EventType
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.jobs import JobSummary
from xpm_engine.workspace.records.params import ParamsRecord, flatten
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.tickets import End, Launch, Start, Usage

LOCK_PATIENCE = 30.0
"""Seconds to wait for the lock: an earlier attempt's supervisor may be on its last line."""

ALIVE_INTERVAL = 30.0
"""Seconds between two touches of ``.xpm/alive``."""

GRACE = 10.0
"""Seconds a task is given to save between SIGTERM and SIGKILL."""

SWEEP_GRACE = 2.0
"""Seconds that processes left behind by an ended task are given."""

STORAGE_PATIENCE = 600.0
"""Seconds to try again to record the end on a full disk."""

TaskBody = Callable[[JobContext, Launch, int], int]
"""Executes the task in the forked process: context, order, where to report; the exit code."""


def supervise(context: JobContext, run_task: TaskBody) -> None:
    """Run one attempt from its order to its recorded end; leaves all untouched if not its turn."""
    with Signals() as signals:
        lock = tickets.take_lock(context.job, patience=LOCK_PATIENCE)
        if lock is None:
            return
        launch = _order(context)
        if launch is None:
            return
        start = Start(
            nonce=tickets.new_nonce(),
            launch=launch.nonce,
            by=processes.own_identity(),
            at=now(),
            user=processes.user_name(),
        )
        if not tickets.claim_start(context.job, context.attempt, start):
            return
        _Supervision(context, launch, start, lock, signals).run(run_task)


class Signals:
    """SIGTERM and SIGINT as a request to stop, SIGCHLD as a wake-up, while it is entered."""

    def __init__(self) -> None:
        self.stop_asked = False
        self._read, self._write = os.pipe()
        self._former: dict[int, object] = {}

    def __enter__(self) -> Signals:
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._former[number] = signal.signal(number, self._ask)
        self._former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._wake)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, former in self._former.items():
            signal.signal(number, former)  # type: ignore[arg-type]
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> None:
        """Sleep until a signal arrives, `seconds` at most."""
        with suppress(InterruptedError):
            select.select([self._read], [], [], max(0.0, seconds))
        with suppress(BlockingIOError):
            os.read(self._read, 512)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.stop_asked = True

    def _wake(self, number: int, frame: FrameType | None) -> None:
        """Only there so that the signal is delivered: the wake-up descriptor does the rest."""


@dataclass
class _Supervision:
    """One attempt that is ours, from the won N.start on."""

    context: JobContext
    launch: Launch
    start: Start
    lock: int
    signals: Signals

    def run(self, run_task: TaskBody) -> None:
        began = system.boot_clock()
        gone = self._upstream_gone()
        if gone is not None:
            text = f"{gone} has no finished result any more"
            ending = Ending(Outcome.FAILED, reason=Reason(ReasonKind.UPSTREAM_GONE, text))
            self._finish(self._prepare(), ending, Usage(0.0, 0.0, 0))
            return
        try:
            summary = self._prepare()
        except StorageError as error:
            ending = Ending(Outcome.FAILED, reason=Reason(ReasonKind.DISK_FULL, error.what))
            self._record(ending, Usage(0.0, 0.0, 0))
            return
        system.adopt_orphans()
        running = child.fork_task(self.context, self.launch, self.lock, run_task)
        summary = replace(summary, task=processes.identity_of(running.pid))
        with suppress(StorageError):
            self._write_summary(summary)
            self._event(EventType.STARTED, pid=running.pid)
        status, cpu, peak = self._wait(running.pid)
        seconds = system.boot_clock() - began
        swept = self._sweep(running.pid)
        if swept:
            with suppress(StorageError):
                self._event(EventType.SWEPT, processes=swept)
        ending = ending_of(status, running.report(), cancelled=self.signals.stop_asked)
        self._finish(summary, ending, Usage(seconds, cpu, peak))

    def _upstream_gone(self) -> JobKey | None:
        workspace = workspace_of_job(self.context.job.root)
        for key in self.launch.dependencies:
            try:
                if not aliases.has_result(workspace, key):
                    return key
            except (FileNotFoundError, UnreadableError):
                return key
        return None

    def _prepare(self) -> JobSummary:
        job, attempt = self.context.job, self.context.attempt
        make_folders(job.logs)
        if leftovers.move_aside(job, attempt, resumable=self.launch.resumable):
            self._event(EventType.LEFTOVERS)
        write_atomic(job.params, dumps(self.launch.params))
        summary = JobSummary(
            key=self.launch.key,
            attempt=attempt,
            outcome=None,
            run=self.launch.run,
            started=self.start.at,
            user=self.start.user,
            supervisor=self.start.by,
            tags=self.launch.tags,
            params=_flat(self.launch, job.launch(attempt)),
            dependencies=self.launch.dependencies,
            resolved=self.launch.resolved,
        )
        self._write_summary(summary)
        return summary

    def _wait(self, pid: int) -> tuple[int, float, int]:
        """Until the task ends: (wait status, CPU seconds, peak bytes)."""
        terminated: float | None = None
        touched = 0.0
        while True:
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                scale = 1024 if os.uname().sysname == "Linux" else 1
                return status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale
            clock = time.monotonic()
            if clock - touched >= ALIVE_INTERVAL:
                touched = clock
                self._touch_alive()
            wait = touched + ALIVE_INTERVAL - clock
            if self.signals.stop_asked:
                if terminated is None:
                    terminated = clock
                    _signal_group(pid, signal.SIGTERM)
                    with suppress(StorageError):
                        self._event(EventType.TERMINATING)
                left = terminated + GRACE - clock
                if left <= 0:
                    _signal_group(pid, signal.SIGKILL)
                    left = 1.0
                wait = min(wait, left)
            self.signals.wait(wait)

    def _sweep(self, group: int) -> int:
        """End what the task left running; how many processes there were."""
        found: set[int] = set()
        deadline = time.monotonic() + SWEEP_GRACE
        last = deadline + SWEEP_GRACE
        while True:
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return len(found)
            left = system.children()
            found.update(left)
            clock = time.monotonic()
            if clock > last:
                return len(found)
            number = signal.SIGTERM if clock < deadline else signal.SIGKILL
            _signal_group(group, number)
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
            self.signals.wait(0.05 if number == signal.SIGTERM else 0.01)

    def _finish(self, summary: JobSummary, ending: Ending, usage: Usage) -> None:
        end = self._record(ending, usage)
        if end is None:
            return
        done = replace(
            summary,
            outcome=end.outcome,
            ended=end.at,
            exit_code=end.exit_code,
            signal=end.signal,
            reason=end.reason,
            usage=end.usage,
            metrics=end.metrics,
        )
        with suppress(StorageError):
            self._event(EventType.ENDED, outcome=end.outcome.value)
            self._write_summary(done)

    def _record(self, ending: Ending, usage: Usage) -> End | None:
        """Write N.end; on a full disk try again, holding the lock, for as long as is sensible."""
        end = End(
            nonce=tickets.new_nonce(),
            outcome=ending.outcome,
            at=now(),
            by=self.start.by,
            exit_code=ending.exit_code,
            signal=ending.signal,
            reason=ending.reason,
            usage=usage,
            resolved=self.launch.resolved,
        )
        deadline = time.monotonic() + STORAGE_PATIENCE
        pause = 0.1
        while True:
            try:
                won = tickets.record_end(self.context.job, self.context.attempt, end)
            except StorageError:
                if time.monotonic() > deadline or not os.path.isdir(self.context.job.xpm):
                    return None
                self.signals.wait(pause)
                pause = min(5.0, pause * 2)
            else:
                return end if won else None

    def _write_summary(self, summary: JobSummary) -> None:
        write_atomic(self.context.job.summary, dumps(summary.to_json()))

    def _event(self, kind: EventType, **data: object) -> None:
        by = f"{socket.gethostname()}:{os.getpid()}"
        event = Event(kind, self.context.attempt, now(), by, dict(data))
        append_line(self.context.job.events, event.to_json())

    def _touch_alive(self) -> None:
        with suppress(OSError), open(self.context.job.alive, "a", encoding="ascii"):
            os.utime(self.context.job.alive)


def _order(context: JobContext) -> Launch | None:
    """The order of this attempt, if it is still the one that this process was started for."""
    path = context.job.launch(context.attempt)
    try:
        launch = Launch.from_json(read_object(path), path)
    except (FileNotFoundError, UnreadableError):
        return None
    return launch if launch.nonce == context.nonce else None


def _flat(launch: Launch, where: str) -> dict[str, object]:
    try:
        return flatten(ParamsRecord.from_json(launch.params, where))
    except UnreadableError:
        return {}


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
