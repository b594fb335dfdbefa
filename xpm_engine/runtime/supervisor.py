"""The supervisor: the small parent of every task, which records how it ended whatever happens.

The order of its writes is a contract: lock, N.start, leftovers moved, params.json, fork, job.json
with the task's identity, and only then the forked process executes anything; at the end: task
reaped, its processes ended, N.end on the disk, job.json, and its exit frees the lock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.runtime import child, leftovers, memory, system
from xpm_engine.runtime.context import JobContext
from xpm_engine.runtime.limits import Limits
from xpm_engine.runtime.order import params_of, read_launch
from xpm_engine.runtime.outcomes import Ending, ending_of
from xpm_engine.runtime.reserved import give_back, reserved
from xpm_engine.runtime.shared import sharing
from xpm_engine.runtime.signals import Signals
from xpm_engine.runtime.waiting import TaskWait, sweep
from xpm_engine.workspace import aliases, processes, tickets
from xpm_engine.workspace.atomic import append_line, dumps, is_full, make_folders, write_atomic
from xpm_engine.workspace.layout import workspace_of_job
from xpm_engine.workspace.records.events import Event, EventType
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.jobs import JobSummary
from xpm_engine.workspace.records.metrics import TAIL, last_values
from xpm_engine.workspace.records.params import flatten
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.tickets import End, Launch, Start, Usage, awaited

LOCK_PATIENCE = 30.0
"""Seconds to wait for the lock: an earlier attempt's supervisor may be on its last line."""

SHARED_POLL = 0.2
"""Seconds between two tries to take a folder that another job shares."""

STORAGE_PATIENCE = 600.0
"""Seconds to try again to record the end on a full disk."""

_NOTHING = Usage(0.0, 0.0, 0)

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
        with reserved(launch) as others:
            if others is None:
                return
            workspace = workspace_of_job(context.job.root)
            # Jobs of other plans may have a folder that this one shares; ours keep their turn.
            with sharing(workspace, launch.shared, _patience(signals)) as alone:
                if alone:
                    _supervise(context, launch, (lock, *others), signals, run_task)


def _patience(signals: Signals) -> Callable[[], bool]:
    """Sleep a little; whether nobody has asked to stop meanwhile."""

    def wait() -> bool:
        signals.wait(SHARED_POLL)
        return not signals.stop_asked

    return wait


def _supervise(
    context: JobContext,
    launch: Launch,
    locks: tuple[int, ...],
    signals: Signals,
    run_task: TaskBody,
) -> None:
    start = Start(
        nonce=tickets.new_nonce(),
        launch=launch.nonce,
        by=processes.own_identity(),
        at=now(),
        user=processes.user_name(),
    )
    if tickets.claim_start(context.job, context.attempt, start):
        limits = Limits.of(launch.resources)
        _Supervision(context, launch, start, limits, locks, signals).run(run_task)


@dataclass
class _Supervision:
    """One attempt that is ours, from the won N.start on."""

    context: JobContext
    launch: Launch
    start: Start
    limits: Limits
    locks: tuple[int, ...]
    signals: Signals

    def run(self, run_task: TaskBody) -> None:
        began = system.boot_clock()
        gone = self._upstream_gone()
        try:
            self._prepare()
            if gone is not None:
                self._finish(self._summary(), _failed(ReasonKind.UPSTREAM_GONE, gone), _NOTHING)
                return
            # All that can be is done before the fork: after it, each touched page is copied.
            summary = self._summary()
            context = replace(self.context, deadline=self.limits.deadline())
            system.adopt_orphans()
            # What the kernel kills from now on may be this task: it can be quick.
            kernel_kills = memory.kernel_kills()
            running = child.fork_task(context, self.launch, self.locks, run_task)
            summary = replace(summary, task=processes.identity_of(running.pid))
            try:
                self._write_summary(summary)
            except StorageError:
                running.give_up()
                raise
        except StorageError as error:
            kind = ReasonKind.DISK_FULL if is_full(error) else ReasonKind.LAUNCHER
            self._record(_failed(kind, error.what), _NOTHING)
            return
        running.begin()
        self._tell(EventType.STARTED, pid=running.pid)
        ended = TaskWait(
            self.context.job,
            running.pid,
            self.limits,
            context.deadline,
            self.signals,
            self._tell,
            kernel_kills,
        ).wait()
        seconds = system.boot_clock() - began
        swept = sweep(running.pid, self.signals)
        # The next job starts while the end of this one is waited for on the disk.
        give_back(self.launch)
        if swept:
            self._tell(EventType.SWEPT, processes=swept)
        usage = Usage(seconds, ended.cpu_seconds, ended.peak_bytes)
        self._finish(summary, ending_of(ended, running.report()), usage)

    def _upstream_gone(self) -> str | None:
        """What of other jobs is not there that it is made from, in words; None if all is."""
        workspace = workspace_of_job(self.context.job.root)
        for key in awaited(self.launch.dependencies, self.launch.early):
            try:
                there = aliases.has_result(workspace, key)
            except (FileNotFoundError, UnreadableError):
                there = False
            if not there:
                return f"{key} has no finished result any more"
        for name in self.launch.early:
            if not os.path.lexists(f"{workspace.jobs}/{name}"):
                return f"{name} is not there any more"
        return None

    def _prepare(self) -> None:
        """Bring the folder into the state that the task may find it in."""
        job, attempt = self.context.job, self.context.attempt
        make_folders(job.logs)
        if leftovers.move_aside(job, attempt, resumable=self.launch.resumable):
            self._tell(EventType.LEFTOVERS)
        write_atomic(job.params, dumps(self.launch.params))

    def _summary(self) -> JobSummary:
        return JobSummary(
            key=self.launch.key,
            attempt=self.context.attempt,
            outcome=None,
            run=self.launch.run,
            started=self.start.at,
            user=self.start.user,
            supervisor=self.start.by,
            tags=self.launch.tags,
            params=_flat(self.launch, self.context.job.launch(self.context.attempt)),
            dependencies=self.launch.dependencies,
            resolved=self.launch.resolved,
            launcher=self.launch.launcher,
            shared=self.launch.shared,
        )

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
        self._tell(EventType.ENDED, outcome=end.outcome.value)
        with suppress(StorageError):
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
            metrics=self._last_metrics(),
            resolved=self.launch.resolved,
            project=self.launch.project,
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

    def _last_metrics(self) -> dict[str, float]:
        try:
            with open(self.context.job.metrics, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
                return last_values(file.read(), attempt=self.context.attempt)
        except OSError:
            return {}

    def _write_summary(self, summary: JobSummary) -> None:
        write_atomic(self.context.job.summary, dumps(summary.to_json()))

    def _tell(self, kind: EventType, **data: object) -> None:
        """Add a line to events.jsonl: for people, so a full disk must not stop the job."""
        by = f"{processes.host_name()}:{os.getpid()}"
        event = Event(kind, self.context.attempt, now(), by, dict(data))
        with suppress(StorageError):
            append_line(self.context.job.events, event.to_json())


def _failed(kind: ReasonKind, text: str) -> Ending:
    return Ending(Outcome.FAILED, reason=Reason(kind, text))


def _order(context: JobContext) -> Launch | None:
    """The order of this attempt, if it is still the one that this process was started for."""
    try:
        launch = read_launch(context.job, context.attempt)
    except (FileNotFoundError, UnreadableError):
        return None
    return launch if launch.nonce == context.nonce else None


def _flat(launch: Launch, where: str) -> dict[str, object]:
    try:
        return flatten(params_of(launch, where))
    except UnreadableError:
        return {}
