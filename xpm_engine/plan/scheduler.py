"""The scheduler of one run: a thread that turns submitted tasks into ended jobs.

It holds nothing that matters: jobs survive it, and a plan that is started again finds them by
their tickets and goes on. `admission` lets jobs in, `board` knows whose turn it is, `dispatch`
launches them and notices their ends.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import cast

from xpm_engine.launchers.base import Handle
from xpm_engine.plan.admission import Admission, Submission
from xpm_engine.plan.board import Board
from xpm_engine.plan.bringing import Bringing
from xpm_engine.plan.dispatch import Dispatch
from xpm_engine.plan.lane import Lane
from xpm_engine.plan.lanes import Lanes
from xpm_engine.plan.node import Node, Stage
from xpm_engine.plan.policies import FailurePolicy
from xpm_engine.plan.run import RunWriter
from xpm_engine.plan.watch import ProcessWatch
from xpm_engine.workspace import processes
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.settings import OnDrift

LAUNCH_PATIENCE = 1.0
"""Seconds that the end of a plan waits for a launch: the plan's modules may take minutes to be
imported, and whoever imports them sees to that job."""

QUEUE_INTERVAL = 1.0
"""Seconds, at least, between two replacements of queue.json."""


class Scheduler:
    """Runs the jobs of one run; its methods may be called from any thread."""

    def __init__(
        self,
        workspace: WorkspacePaths,
        run: RunWriter,
        lanes: Lanes,
        *,
        on_drift: OnDrift = OnDrift.ERROR,
        failure_policy: FailurePolicy = FailurePolicy.CONTINUE,
        on_end: Callable[[Node], None] | None = None,
        on_idle: Callable[[], None] | None = None,
    ) -> None:
        """Both are called in the scheduler's thread: `on_end` for each job that is over (again,
        where somebody had it retried), `on_idle` when nothing more will come of any job.
        """
        self.run = run
        self.board = Board(self._note_end)
        self._on_end = on_end
        self._on_idle = on_idle
        self.error: BaseException | None = None
        """What ended the scheduler before its time."""
        self._lanes = lanes
        self._open_lanes: list[Lane] = []
        """Those that jobs were submitted for."""
        self._watch = ProcessWatch()
        self._dispatch = Dispatch(run, lanes, self.board, self._watch)
        self._bringing = Bringing(
            workspace, lanes, self.board, fail=self._dispatch.fail, wake=self._watch.wake
        )
        self.board.keeps = self._bringing.keeps
        self._admission = Admission(workspace, run, self.board, self._dispatch, on_drift)
        self._inbox: deque[Submission] = deque()
        self._busy = False
        """Set before a job leaves the inbox, until it was looked whether anything is left to do."""
        self._failure_policy = failure_policy
        self._told: deque[JobKey] = deque()
        """Jobs that a launcher has something to tell of."""
        lanes.listen(self._hear)
        self._closing = False
        self._ending = threading.Lock()
        self._over = False
        """Whether the thread does nothing more."""
        self._left = False
        """Whether the thread was left to itself, and lets go of everything at its end."""
        self._draining = False
        self._drained = threading.Event()
        self._settled = threading.Condition()
        self._ended = False
        """Whether a job is over of which those who wait were not told yet."""
        self._queue_due = 0.0
        self._thread = threading.Thread(target=self._main, name="xpm-scheduler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def submit(self, submission: Submission) -> None:
        """Take a job on; raises what ended the scheduler, if it has ended, and StorageError."""
        if self.error is not None:
            raise self.error
        lane = submission.lane
        if lane not in self._open_lanes:
            lane.open(run=self.run.name, driver=self.run.record.driver)
            self._open_lanes.append(lane)
        self._inbox.append(submission)
        self._watch.wake()

    def wait(self, until: Callable[[], bool] | None = None, timeout: float | None = None) -> bool:
        """Until every job that was submitted is over, or `until` holds.

        False after `timeout` seconds. Raises what ended the scheduler early.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._settled:
            while self.unsettled and self._thread.is_alive() and not (until and until()):
                left = 1.0 if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    return False
                # A wait without a time limit can't be interrupted on every platform.
                self._settled.wait(min(1.0, left))
        if self.error is not None:
            raise self.error
        return True

    def bring(self, key: JobKey, patterns: Sequence[str]) -> None:
        """Have those files of a job brought here as they appear, wherever it runs."""
        self._lanes.bring(key, patterns)

    def drain(self, *, patience: float = 0.0) -> None:
        """Launch nothing more; what runs goes on without this run.

        Returns when no launch is under way any more, or after `patience` seconds.
        """
        self._draining = True
        self._watch.wake()
        if patience:
            self._drained.wait(patience)

    @property
    def launching(self) -> bool:
        """Whether a launcher is starting a job at this moment."""
        return self._dispatch.launching_since is not None

    def close(self) -> None:
        """End the thread; running jobs go on, and so does one whose launch takes long."""
        self._closing = True
        self._watch.wake()
        while self._thread.is_alive():
            since = self._dispatch.launching_since
            if since is not None and time.monotonic() > since + LAUNCH_PATIENCE:
                with self._ending:
                    if not self._over:
                        self._left = True
                        return
            self._thread.join(0.1)
        self._let_go()

    def _let_go(self) -> None:
        self._lanes.close()
        self._watch.close()

    def _hear(self, key: JobKey) -> None:
        self._told.append(key)
        self._watch.wake()

    def live_jobs(self) -> list[Handle]:
        """What runs of the jobs that this run launched or follows, as far as it can be reached."""
        found: list[Handle] = []
        for node in list(self.board.nodes.values()):
            if node.stage in (Stage.LAUNCHED, Stage.FOLLOWED) and node.handle is not None:
                found.append(node.handle)
        return found

    def ask_to_stop(self, jobs: Sequence[Handle]) -> None:
        """Ask jobs to stop, each in its time to save."""
        self._lanes.cancel([each for each in jobs if each.process is None])
        for each in jobs:
            if each.process is not None:
                processes.send_signal(each.process, signal.SIGTERM)

    @property
    def goes_on(self) -> bool:
        """Whether something may still come of a job, and this thread will see it."""
        return self.unsettled and self._thread.is_alive()

    @property
    def unsettled(self) -> bool:
        """Whether something may still come of a job."""
        return bool(self._inbox) or self._busy

    @property
    def _open(self) -> bool:
        """Whether something may still come of a job on the board."""
        if self.board.stopped_by is not None:
            return self.board.running
        return self.board.counts.open > 0

    def _note_end(self, node: Node) -> None:
        if self._on_end is not None:
            self._on_end(node)
        self._ended = True

    def _settle(self) -> None:
        if self._on_idle is not None:
            self._on_idle()
        with self._settled:
            self._settled.notify_all()

    def _stop_after_failure(self) -> None:
        """Start nothing more, as the failure policy says."""
        failed = next(each for each in self.board.nodes.values() if each.stage is Stage.FAILED)
        self.board.stopped_by = failed.key
        self.board.changed = True
        self.run.log(f"nothing more is started ({self._failure_policy.value}): {failed.key} failed")
        self.drain()
        if self._failure_policy is FailurePolicy.STOP:
            launched = [each for each in self.board.nodes.values() if each.stage is Stage.LAUNCHED]
            self.ask_to_stop([each.handle for each in launched if each.handle is not None])

    def _main(self) -> None:
        try:
            while not self._closing:
                self._step()
            self._write_queue(last=True)
        except BaseException as error:  # noqa: BLE001 (told to the plan's own thread)
            self.error = error
            self.run.log(f"scheduler ended: {error}")
        finally:
            self._drained.set()
            self._settle()
            with self._ending:
                self._over = True
            if self._left:
                self._let_go()

    def _step(self) -> None:
        """Do all that can be done now, then sleep until something happens."""
        # Before the inbox is looked at: what comes in between would else be nowhere.
        self._busy = True
        batch = [self._inbox.popleft() for _ in range(len(self._inbox))]
        if batch:
            self._admission.admit(batch)
        for changed in [self._told.popleft() for _ in range(len(self._told))]:
            self._dispatch.hear(changed)
        self._bringing.take()
        self._dispatch.poll()
        if self._ended:
            # Once for many: who waits is woken in a thread of its own, in between ours.
            self._ended = False
            with self._settled:
                self._settled.notify_all()
        policy = self._failure_policy
        if (
            policy is not FailurePolicy.CONTINUE
            and self.board.counts.failed
            and self.board.stopped_by is None
        ):
            self._stop_after_failure()
        self._launch()
        self._write_queue()
        if not self._open and not self._inbox and not self._draining:
            self._dispatch.look_at_failed()
        self._busy = self._open or bool(self._inbox)
        if not self._busy:
            self._settle()
        for key in self._watch.wait(self._patience()):
            self._dispatch.revisit(self.board.nodes[cast("JobKey", key)])

    def _launch(self) -> None:
        lanes = tuple(self._open_lanes)
        if self._draining:
            for lane in lanes:
                lane.gate.withdraw()
            self._drained.set()
            return
        for lane in lanes:
            self._launch_on(lane)
            self._watch.listen(lane.gate, lane.gate.pipe, lane.gate.look_again)

    def _launch_on(self, lane: Lane) -> None:
        while not self._draining and (passed := lane.gate.admit()):
            for node, reservation in passed:
                if self._draining:
                    lane.gate.release(reservation.nonce)
                    self.board.make_ready(node)
                else:
                    self._dispatch.launch(node, reservation)

    def _patience(self) -> float | None:
        """Seconds until something is due by itself; None for never."""
        if self._inbox or self._told or self._bringing.has_news:
            return 0.0
        due = [
            self._dispatch.due,
            *(lane.gate.due for lane in tuple(self._open_lanes) if not self._draining),
            self._queue_due if self.board.changed else None,
        ]
        moments = [moment for moment in due if moment is not None]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _write_queue(self, *, last: bool = False) -> None:
        clock = time.monotonic()
        if not self.board.changed or (clock < self._queue_due and not last):
            return
        self.run.queue(self.board.waits())
        # A run of very many jobs spends at most a tenth of its time on saying why they wait.
        self._queue_due = clock + max(QUEUE_INTERVAL, 10 * (time.monotonic() - clock))
