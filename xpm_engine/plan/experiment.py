"""``with experiment("workspace", "name"):`` — the block in which submitted tasks are run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextvars import Token
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from xpm_engine.config.arguments import pairs_given
from xpm_engine.config.light import LightTask
from xpm_engine.config.order import Order, place_paths
from xpm_engine.config.paths import PathRoots
from xpm_engine.config.problems import caller, describe
from xpm_engine.config.reading import ImportStopped, reading_classes
from xpm_engine.config.submitting import SubmitOptions, Submitter, current_submitter
from xpm_engine.config.task import Task
from xpm_engine.errors import DefinitionError, RemoteError, UsageError
from xpm_engine.launchers.base import Launcher
from xpm_engine.plan import report
from xpm_engine.plan.admission import Submission
from xpm_engine.plan.adoption import find_former
from xpm_engine.plan.closing import Closing
from xpm_engine.plan.drift import policy_of
from xpm_engine.plan.ends import Callback
from xpm_engine.plan.lane import Lane
from xpm_engine.plan.lanes import Lanes
from xpm_engine.plan.node import Node, Stage
from xpm_engine.plan.policies import (
    FailurePolicy,
    OnFailure,
    choose,
    usual_on_failure,
)
from xpm_engine.plan.preview import current_recorder
from xpm_engine.plan.reach import reach, refuse_in_worker
from xpm_engine.plan.results import Results
from xpm_engine.plan.retrying import retries_of
from xpm_engine.plan.run import RunWriter, other_runs
from xpm_engine.plan.scheduler import Scheduler
from xpm_engine.plan.streams import hold_standard_streams
from xpm_engine.workspace.aliases import has_result
from xpm_engine.workspace.atomic import make_folders
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, check_name
from xpm_engine.workspace.pool.folder import open_folder
from xpm_engine.workspace.records.runs import Scope
from xpm_engine.workspace.settings import LOCAL, OnDrift, load_settings


class Experiment:
    """One run of an experiment; made by `experiment`."""

    def __init__(
        self,
        workspace: str | os.PathLike[str],
        name: str,
        *,
        launcher: Launcher | str | None = None,
        on_failure: OnFailure | str | None = None,
        failure_policy: FailurePolicy | str = FailurePolicy.CONTINUE,
        on_drift: OnDrift | str | None = None,
    ) -> None:
        """Prepare the run `name` in the folder `workspace`, relative to the working directory.

        `launcher` runs the jobs whose submit names no other: one of `xpm_engine.launchers`, or the
        name of a host or a pool of hosts in xpm.toml; default: the first that has what a job needs,
        this machine before all others. `on_failure` is `exit` in a
        script, `raise` in a notebook and under pytest, unless it is given. `failure_policy` says
        what becomes of the other jobs when one fails: they `continue`, all that does not depend on
        it; `drain`: nothing more is started, what runs is waited for; `stop`: what runs is asked to
        stop as well. `on_drift` is what is done about results that were made with other defaults:
        `error`, `rerun` or `accept`. Raises BadNameError, UsageError, SettingsError.
        """
        self.name = check_name(name)
        self.workspace = WorkspacePaths.at(_folder(workspace))
        self._roots = PathRoots(workspace=self.workspace, project=_project())
        settings = load_settings(self.workspace)
        self._lanes = Lanes(settings)
        # A job's process only reads the classes above: it knows no hosts, and needs none.
        self._lane = None if launcher is None or reading_classes() else self._lanes.of(launcher)
        self._on_drift = policy_of(on_drift, settings.drift.policy)
        self._retains = settings.retention.after_run and settings.retention.has_policies
        self._on_failure = (
            usual_on_failure()
            if on_failure is None
            else choose(OnFailure, on_failure, "on_failure")
        )
        self._failure_policy = choose(FailurePolicy, failure_policy, "failure_policy")
        self._results = Results(self.name, self.workspace, self._roots, current_recorder())
        self._alike: tuple[tuple[SubmitOptions, object], tuple[Lane, SubmitOptions]] | None = None
        """What was said of the last job, and what comes of it: thousands say the same."""
        self._lane_of: dict[JobKey, Lane] = {}
        self._token: Token[Submitter | None] | None = None
        self._scheduler: Scheduler | None = None
        self._closing: Closing | None = None
        self._recorder = current_recorder()

    @property
    def roots(self) -> PathRoots:
        """The folders that paths are told by."""
        return self._roots

    @property
    def failed(self) -> tuple[JobKey, ...]:
        """The jobs that failed so far."""
        return tuple(node.key for node in self._nodes() if node.stage is Stage.FAILED)

    @property
    def results(self) -> str:
        """The run's own folder for what the plan itself makes: tables, figures."""
        return self._running().run.paths.results

    def submit(self, task: Task[Any], order: Order, options: SubmitOptions) -> None:
        """Take a sealed task on: what `Task.submit` calls."""
        policy_of(options.on_drift, self._on_drift)
        retries_of(options, resumable=order.resumable)
        _check_priority(options.priority)
        reach.check(order.nodes)
        _check_execute(task)
        lane, chosen = self._choose(order.key, task, options)
        adopted = find_former(self.workspace, task, order)
        if adopted is not None:
            place_paths(task, adopted, order.roots)
        self._results.submitted.add(order.key)
        early = self._results.watched.early_of(order)
        order = replace(order, early=early) if early else order
        if self._recorder is not None:
            self._recorder.submit(self.name, self.workspace, order, chosen, adopted)
            return
        self._running().submit(Submission(order, chosen, lane, adopted))
        first = self._lane_of.setdefault(order.key, lane)
        if first is not lane and options.launcher is not None:
            self._tell_elsewhere(order.key, first, lane)

    def _choose(
        self, key: JobKey, task: Task[Any], options: SubmitOptions
    ) -> tuple[Lane, SubmitOptions]:
        """Where a task is to run, and its options with all that is known now."""
        said = options, type(task).resources
        if self._alike is None or self._alike[0] != said:
            try:
                lane, resources = self._lanes.choose(task, options, self._lane)
            except (UsageError, RemoteError) as error:
                if isinstance(error, RemoteError) and self._needs_no_launcher(key, options):
                    return self._lanes.of(LOCAL), options
                error.where = error.where or caller()
                raise
            self._alike = said, (lane, replace(options, launcher=lane.name, resources=resources))
        return self._alike[1]

    def _needs_no_launcher(self, key: JobKey, options: SubmitOptions) -> bool:
        """Whether a job is done already, so that a host which can't be asked is no matter."""
        rerun = policy_of(options.on_drift, self._on_drift) is OnDrift.RERUN
        return not rerun and has_result(self.workspace, key)

    def _tell_elsewhere(self, key: JobKey, first: Lane, lane: Lane) -> None:
        """A job was submitted again, for another launcher: what is asked for is not passed over."""
        text = (
            f"{key.task}/{key.short} was submitted for {first.name}, where it stays, and again for "
            f"{lane.name}, at {caller()}"
        )
        report.say(f"xpm: {text}")
        self._running().run.log(text)

    def note(self, text: str) -> None:
        """Write something down about this run: `xpm ls` and the app show it with the run.

        Raises UsageError for what is no text, StorageError.
        """
        _check_note(text)
        if self._recorder is None:
            self._running().run.note(text)

    def on_end(self, callback: Callback, *made: object) -> None:
        """Have `callback(JobEnd)` called once for the job of each task in `made`, or for all jobs.

        It is called in the plan's own thread while the plan waits, at the end of the block at the
        latest, also for jobs that were done before; it may submit more. What it raises is told, and
        ends nothing. Raises UsageError for what can't be called.
        """
        if not callable(callback):
            raise UsageError(
                f"{describe(callback)} can't be called",
                where=caller(),
                hint="give a function first: xp.on_end(function, task)",
            )
        self._results.on_end(callback, made)

    def wait(self, *made: object, timeout: float | None = None) -> bool:
        """Wait until the jobs of these tasks are over, or all that were submitted so far.

        True if all of them are done, False if one ended badly, or after `timeout` seconds. A task
        may be told by what it handed on, or by a path in its folder.
        """
        return self._results.wait(made, timeout)

    def watch(self, made: object, *patterns: str) -> Iterator[Path]:
        """The files of running jobs, as they appear in their folders, until the jobs are over.

        ::

            for checkpoint in xp.watch(learner, "checkpoints/*.pt"):
                Evaluate(checkpoint=checkpoint).submit()

        `made` is a task, what it handed on, or a list of these; a pattern is that of `Path.glob`. A
        task that is made from nothing else of that job starts at once, while the job goes on; it
        is still made from it, so that no clean takes the job away. Each file is told once, those
        of a finished job too: a plan that is started again submits the same. Write such files with
        `checkpoint`: what is told must be whole, and never change.
        """
        return self._results.watch((made,), patterns or ("*",))

    def result(self, made: object, *, timeout: float | None = None) -> Any:
        """Wait for the job of a task, or of what it handed on: what its `execute` returned.

        None for nothing. Raises JobFailed, JobBlocked, JobNotRun or DriftError where there is no
        result, TimeoutError after `timeout` seconds.
        """
        return self._results.result(made, timeout)

    async def result_later(self, made: object) -> Any:
        """`result` for ``await``: other coroutines go on meanwhile."""
        return await self._results.result_later(made)

    def __enter__(self) -> Experiment:
        if reading_classes():
            raise ImportStopped
        refuse_in_worker()
        if current_submitter.get() is not None:
            raise UsageError(
                "an experiment was entered inside another one",
                where=caller(),
                hint="end the first `with experiment(...)` block before the next begins",
            )
        reach.entered()
        if self._recorder is None:
            hold_standard_streams()
            make_folders(self.workspace.root)
            if self._lane is None or self._lane.launcher.capacity().here:
                # Should it be unusable, the user is told before there is a run.
                open_folder()
            run = RunWriter(self.workspace, self.name, _scope())
            self._scheduler = Scheduler(
                self.workspace,
                run,
                self._lanes,
                on_drift=self._on_drift,
                failure_policy=self._failure_policy,
                on_end=self._results.ends.over,
                on_idle=self._results.ends.release,
            )
            self._results.scheduler = self._scheduler
            self._scheduler.start()
            report.say(f"xpm: {run.name} in {self.workspace.root}")
            for other in other_runs(self.workspace, self.name, but=run.record.run):
                report.say(f"xpm: {other}; both go on, and share their jobs")
            self._closing = Closing(
                self.workspace, self._scheduler, on_failure=self._on_failure, retains=self._retains
            )
            self._closing.begin()
        self._token = current_submitter.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._closing is not None:
                self._closing.end(error, wait=self._results.wait_for_all)
        finally:
            if self._token is not None:
                current_submitter.reset(self._token)

    def _nodes(self) -> Sequence[Node]:
        return [] if self._scheduler is None else list(self._scheduler.board.nodes.values())

    def _running(self) -> Scheduler:
        if self._scheduler is None:
            raise UsageError(
                "the experiment has not begun", hint="use it as `with experiment(...) as xp:`"
            )
        return self._scheduler


experiment = Experiment
"""``with experiment("workspace", "name") as xp:``; see `Experiment`."""


def _folder(workspace: object) -> str:
    """The path of a workspace, `~` told as the home it stands for."""
    hint = "it is a folder's path: experiment('workspace', 'name')"
    if not isinstance(workspace, (str, os.PathLike)):
        raise UsageError(f"{workspace!r} can't be a workspace", where=caller(), hint=hint)
    text = os.fspath(cast("str | os.PathLike[str]", workspace))
    if not text.strip() or "\0" in text:
        raise UsageError(f"{text!r} can't be a workspace", where=caller(), hint=hint)
    return os.path.expanduser(text)


def _check_note(text: object) -> None:
    if not isinstance(text, str):
        raise UsageError(f"{describe(text)} is no note", where=caller(), hint="give a text")


def _check_priority(priority: object) -> None:
    if not isinstance(priority, int):
        raise UsageError(
            f"priority={priority!r} is no whole number",
            where=caller(),
            hint="ready jobs of a higher one start first: submit(priority=1)",
        )


def _check_execute(task: Task[Any]) -> None:
    runs: tuple[Task[Any] | LightTask, ...] = (task, *task.before)
    for each in runs:
        if type(each).execute in (Task.execute, LightTask.execute):
            raise DefinitionError(
                f"{type(each).__name__} has no execute(): there is nothing to run",
                where=caller(),
                hint="define `def execute(self)`, which does the work; what needs none is a Config",
            )


def _project() -> str:
    """The folder of the plan's file; the working directory where there is none."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return os.path.dirname(os.path.abspath(file)) if file else os.getcwd()


def _scope() -> Scope:
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return Scope(
        plan=os.path.abspath(file) if file else "",
        arguments=tuple(sorted(pairs_given().items())),
        argv=tuple(sys.argv[1:]),
    )
