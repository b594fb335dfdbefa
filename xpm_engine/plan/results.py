"""Handing results to the plan: waiting for some of its jobs, callbacks, what a task returned."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpm_engine.config.paths import PathRoots
from xpm_engine.config.problems import caller, describe
from xpm_engine.config.results import jobs_of, read_result
from xpm_engine.errors import JobNotRun, UsageError
from xpm_engine.plan import report
from xpm_engine.plan.drift import drift_error
from xpm_engine.plan.ends import Callback, Ends
from xpm_engine.plan.node import Node, Stage
from xpm_engine.plan.preview import Recorder
from xpm_engine.plan.scheduler import Scheduler
from xpm_engine.plan.watching import Watched, check_patterns, has_begun, matching
from xpm_engine.workspace.aliases import resolve
from xpm_engine.workspace.layout import JobKey, WorkspacePaths

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Event

WATCH_INTERVAL = 0.5
"""Seconds between two looks for new files of running jobs."""


class Results:
    """What the plan's own thread asks about its jobs; see the methods of `Experiment`."""

    def __init__(
        self, name: str, workspace: WorkspacePaths, roots: PathRoots, recorder: Recorder | None
    ) -> None:
        """`recorder`: where the plan is only previewed."""
        self.scheduler: Scheduler | None = None
        """None before the block, and in a preview."""
        self.submitted: set[JobKey] = set()
        self.ends = Ends(self._read)
        self.watched = Watched(workspace)
        self._name = name
        self._workspace = workspace
        self._roots = roots
        self._recorder = recorder

    def on_end(self, callback: Callback, made: tuple[object, ...]) -> None:
        """See `Experiment.on_end`."""
        if self._recorder is None:
            self.ends.add(callback, self._jobs_of(made) if made else None)

    def wait(self, made: tuple[object, ...], timeout: float | None) -> bool:
        """See `Experiment.wait`."""
        keys = self._jobs_of(made) if made else None
        if self._recorder is not None:
            return all(map(self._recorder.has_result, keys or ()))
        over = None if keys is None else lambda: all(map(self._is_over, keys))
        if not self._wait(over, timeout):
            return False
        nodes = self._running().board.nodes
        wanted = list(nodes) if keys is None else keys
        return all(key in nodes and nodes[key].stage is Stage.DONE for key in wanted)

    def wait_for_all(self) -> None:
        """Until nothing more will come of any job, and every callback was called."""
        self._wait(None, None)

    def watch(self, made: tuple[object, ...], patterns: Sequence[str]) -> Iterator[Path]:
        """See `Experiment.watch`."""
        check_patterns(patterns)
        keys = self._jobs_of(made)
        told: set[Path] = set()
        if self._recorder is None:
            for key in keys:
                self._running().bring(resolve(self._workspace, key), patterns)
        while True:
            # First whether they are over, then what is there: nothing is missed in between.
            over = self._recorder is not None or not self._running().goes_on
            over = over or all(map(self._is_over, keys))
            for key in keys:
                for path in self._there(key, patterns):
                    if path not in told:
                        told.add(path)
                        self.watched.tell(key, path)
                        yield path
            if over:
                return
            self._wait(lambda: all(map(self._is_over, keys)), WATCH_INTERVAL)

    def _there(self, key: JobKey, patterns: Sequence[str]) -> Iterator[Path]:
        job = self._workspace.job(resolve(self._workspace, key))
        if self._recorder is not None:
            return matching(job, patterns) if self._recorder.has_result(key) else iter(())
        node = self._running().board.nodes.get(key)
        begun = node is not None and (
            node.stage is Stage.DONE or (node.attempt and has_begun(job, node.attempt))
        )
        return matching(job, patterns) if begun else iter(())

    def result(self, made: object, timeout: float | None) -> Any:
        """See `Experiment.result`."""
        key = self._job_of(made)
        if self._recorder is not None:
            self._recorder.check_result(key)
        elif not self._wait(lambda: self._is_over(key), timeout):
            raise TimeoutError(f"{key.task}/{key.short} is not over after {timeout:g} s")
        return self._read(key)

    async def result_later(self, made: object) -> Any:
        """See `Experiment.result_later`."""
        import asyncio

        key = self._job_of(made)
        if self._recorder is None:
            scheduler = self._running()
            loop = asyncio.get_running_loop()
            while not self._is_over(key) and scheduler.goes_on:
                told = asyncio.Event()
                self.ends.call(key, _waking(loop, told))
                await told.wait()
            self.ends.run_pending(scheduler.run.log)
        return self.result(made, None)

    def _wait(self, over: Callable[[], bool] | None, timeout: float | None) -> bool:
        """Wait as `Scheduler.wait`, and call the callbacks that are due meanwhile."""
        scheduler, ends = self._running(), self.ends
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            ends.run_pending(scheduler.run.log)
            if over is not None and over():
                return True
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not scheduler.wait(lambda: ends.pending or (over is not None and over()), left):
                return False
            if not ends.pending and not scheduler.goes_on:
                return True

    def _is_over(self, key: JobKey) -> bool:
        node = self._running().board.nodes.get(key)
        return node is not None and node.stage.over

    def _read(self, key: JobKey) -> Any:
        """What a job that is over returned; raises for one that is not done."""
        if self._recorder is None:
            _check(key, self._running().board.nodes.get(key))
        return read_result(self._workspace.job(resolve(self._workspace, key)), self._roots)

    def _running(self) -> Scheduler:
        if self.scheduler is None:
            raise UsageError(
                "the experiment has not begun", hint="use it as `with experiment(...) as xp:`"
            )
        return self.scheduler

    def _job_of(self, made: object) -> JobKey:
        keys = self._jobs_of((made,))
        if len(keys) != 1:
            raise UsageError(
                f"{len(keys)} jobs are meant, not one", where=caller(), hint="give one task"
            )
        return keys[0]

    def _jobs_of(self, made: tuple[object, ...]) -> tuple[JobKey, ...]:
        """The jobs that these stand for; raises UsageError for what no job makes."""
        found: dict[JobKey, None] = {}
        for each in made:
            keys = jobs_of(each, self._roots)
            unknown = [key for key in keys if key not in self.submitted]
            if not keys or unknown:
                what = f"{unknown[0].task}/{unknown[0].short}" if unknown else describe(each)
                raise UsageError(
                    f"{what} was not submitted to {self._name}",
                    where=caller(),
                    hint="give what submit() returned inside this experiment",
                )
            found.update(dict.fromkeys(keys))
        return tuple(found)


def _check(key: JobKey, node: Node | None) -> None:
    if node is None:
        raise JobNotRun(f"{key.task}/{key.short} was not run: its plan has ended")
    if node.stage is Stage.DRIFTED and node.drift is not None:
        raise drift_error([node.drift])
    if node.stage is not Stage.DONE:
        raise report.job_error(node)


def _waking(loop: AbstractEventLoop, told: Event) -> Callable[[], None]:
    """Set an asyncio event from any thread; too late for a loop that is closed is no matter."""

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(told.set)

    return wake
