"""``python -m xpm_engine.plan.retry``: a run of its own that carries out stored orders again.

It reads a `RetryOrder` as JSON from standard input, leaves its parent, begins its run, answers
with one JSON line on standard output, ``{"run": …, "pid": …}`` or ``{"error": …}``, and goes on by
itself: what it says then is in the run's scheduler.log. It imports nothing of the user's; the jobs
do, each in its own process.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from xpm_engine.errors import XpmError
from xpm_engine.launchers import local
from xpm_engine.plan import report
from xpm_engine.plan.admission import Submission
from xpm_engine.plan.interrupts import Termination
from xpm_engine.plan.lanes import Lanes
from xpm_engine.plan.orders import RebuiltOrder, stored_options
from xpm_engine.plan.run import RunWriter
from xpm_engine.plan.scheduler import Scheduler
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.retry_order import RetryOrder
from xpm_engine.workspace.records.runs import PlanState, RunKind
from xpm_engine.workspace.settings import load_settings


class Retry:
    """One retry's run: begun when it is made; `carry_out` returns at its end."""

    def __init__(self, order: RetryOrder) -> None:
        """Raises SettingsError, UsageError for what can't be had here, StorageError."""
        workspace = WorkspacePaths(order.workspace)
        settings = load_settings(workspace)
        lanes = Lanes(settings)
        submissions = [
            Submission(
                RebuiltOrder(each),
                stored_options(each),
                lanes.of(each.launcher or local.NAME),
                again=each.key in order.again,
            )
            for each in order.orders
        ]
        for each in submissions:
            rules = each.lane.rules
            rules.check(each.order.key.task, each.options.resources or settings.resources)
        self.run = RunWriter(workspace, order.experiment, order.scope, kind=RunKind.RETRY)
        self._scheduler = Scheduler(workspace, self.run, lanes)
        self._submissions = submissions

    def carry_out(self, termination: Termination) -> None:
        """Run the jobs, and wait for all of them; SIGTERM leaves those that run to themselves."""
        scheduler = self._scheduler
        scheduler.start()
        plan, error = PlanState.COMPLETE, None
        try:
            for submission in self._submissions:
                scheduler.submit(submission)
            scheduler.wait()
            termination.hold()
        except KeyboardInterrupt:
            plan = PlanState.INTERRUPTED
        except XpmError as raised:
            plan, error = PlanState.RAISED, f"{type(raised).__name__}: {raised}"[:500]
        termination.hold()
        scheduler.drain()
        scheduler.close()
        counts = scheduler.board.counts
        self.run.end(plan, failed=counts.failed > 0, error=error)
        self.run.log(report.summary(counts))


def main() -> None:
    """Be a retry's process."""
    if os.fork():
        # Nobody has to wait for what goes on, or to collect its exit status.
        os._exit(0)
    os.setsid()
    termination = Termination()
    termination.begin()
    try:
        retry = Retry(RetryOrder.from_json(json.load(sys.stdin)))
    except XpmError as error:
        _answer({"error": {"what": error.what, "where": error.where, "hint": error.hint}})
        return
    _answer({"run": retry.run.name, "pid": os.getpid()})
    _speak_to(retry.run.paths.log)
    retry.carry_out(termination)


def _answer(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _speak_to(log: str) -> None:
    """Let go of who started this: nobody reads our streams any more."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for stream, descriptor in ((0, nothing), (1, output), (2, output)):
        os.dup2(descriptor, stream)
    os.close(output)
    os.close(nothing)


if __name__ == "__main__":
    main()
