"""The end of a plan's block: its jobs are waited for or left running, and the run is closed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from xpm_engine.errors import DriftError, XpmError
from xpm_engine.launchers.base import Handle
from xpm_engine.plan import report
from xpm_engine.plan.drift import drift_error
from xpm_engine.plan.interrupts import Terminated, Termination
from xpm_engine.plan.node import Stage
from xpm_engine.plan.policies import INTERRUPTED, OnFailure
from xpm_engine.plan.retaining import retain
from xpm_engine.plan.scheduler import Scheduler
from xpm_engine.tracebacks import in_words
from xpm_engine.words import plural
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.runs import PlanState

SECOND_THOUGHTS = 2.0
"""Seconds after a first Ctrl-C in which a second one kills the running jobs."""


class Closing:
    """Ends one run, from its first job to what is said last."""

    def __init__(
        self,
        workspace: WorkspacePaths,
        scheduler: Scheduler,
        *,
        on_failure: OnFailure,
        retains: bool,
    ) -> None:
        """`retains`: the retention policies are carried out behind a run without failures."""
        self._workspace = workspace
        self._scheduler = scheduler
        self._on_failure = on_failure
        self._retains = retains
        self._termination = Termination()

    def begin(self) -> None:
        """The run has begun: from now on SIGTERM stops the plan as Ctrl-C does."""
        self._termination.begin()

    def end(self, error: BaseException | None, *, wait: Callable[[], object]) -> None:
        """Wait for the jobs, if the block ended without `error`, and close the run.

        Raises DriftError and FailedJobs where `on_failure` says so, and whatever `wait` raises.
        """
        scheduler = self._scheduler
        try:
            if error is None:
                wait()
                self._termination.hold()
        except KeyboardInterrupt as interrupt:
            error = interrupt
        except BaseException as storage:
            self._close(PlanState.RAISED, storage)
            raise
        if isinstance(error, KeyboardInterrupt):
            self._interrupted(error)
        if error is not None:
            self._close(PlanState.RAISED, error)
            left = scheduler.live_jobs()
            if left:
                report.say(f"xpm: the plan raised; {report.left(len(left), self._workspace)}")
            return
        drifted = self._drifted()
        if drifted is not None:
            self._close(PlanState.RAISED, drifted)
            self._give_up(drifted)
            return
        self._close(PlanState.COMPLETE, None)
        self._tell_end()
        if self._termination.came:
            sys.exit(INTERRUPTED)
        if self._retains and not scheduler.board.counts.failed:
            for line in retain(self._workspace, scheduler.run.name):
                report.say(f"xpm: {line}")
                scheduler.run.log(line)

    def _drifted(self) -> DriftError | None:
        nodes = self._scheduler.board.nodes.values()
        found = [node.drift for node in nodes if node.stage is Stage.DRIFTED and node.drift]
        return drift_error(found) if found else None

    def _give_up(self, error: XpmError) -> None:
        """End the plan with an error that is its user's to settle, as `on_failure` says."""
        if self._on_failure is OnFailure.RAISE:
            raise error
        if self._on_failure is OnFailure.EXIT:
            report.say(str(error))
            sys.exit(error.exit_code)

    def _close(self, plan: PlanState, error: BaseException | None) -> None:
        scheduler = self._scheduler
        self._termination.hold()
        try:
            scheduler.drain()
            scheduler.close()
            text = None if error is None else in_words(error)[:500]
            scheduler.run.end(plan, failed=scheduler.board.counts.failed > 0, error=text)
        finally:
            self._termination.end()

    def _tell_end(self) -> None:
        counts = self._scheduler.board.counts
        report.say(f"xpm: {self._scheduler.run.name}: {report.summary(counts)}")
        if counts.failed:
            self._give_up(report.failures_error([*self._scheduler.board.nodes.values()], counts))

    def _interrupted(self, interrupt: KeyboardInterrupt) -> None:
        """Ctrl-C: leave the jobs running; a second one in the next seconds kills them."""
        scheduler = self._scheduler
        by_key = not isinstance(interrupt, Terminated)
        left: list[Handle] = []
        try:
            # What is being launched at this moment is among what goes on.
            scheduler.drain(patience=SECOND_THOUGHTS)
            left = scheduler.live_jobs()
            if scheduler.launching:
                report.say("xpm: interrupted while a job is being launched: it goes on.")
            elif not left:
                report.say("xpm: interrupted; no job was running.")
            if left:
                again = " (Ctrl-C again now kills them)" if by_key else ""
                words = report.left(len(left), self._workspace, again)
                report.say(f"xpm: interrupted; {words}")
                if by_key:
                    threading.Event().wait(SECOND_THOUGHTS)
            self._termination.hold()
        except Terminated:
            self._termination.hold()
            # Never a kill: who stops a service, or a cluster's job, may say so more than once.
            report.say("xpm: asked to stop again; what runs goes on.")
        except KeyboardInterrupt:
            self._termination.hold()
            left = scheduler.live_jobs()
            scheduler.ask_to_stop(left)
            report.say(f"xpm: asked {plural(len(left), 'job')} to stop.")
        self._close(PlanState.INTERRUPTED, None)
        sys.exit(INTERRUPTED)
