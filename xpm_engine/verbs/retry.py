"""Running jobs again that ended badly, with what waits behind them: planned here, then started.

Nothing of the user's is imported: the orders are those that are stored with the jobs and their
runs. `plan_retry` writes nothing; `start_retry` starts a process of its own for each experiment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from xpm_engine.errors import UnreadableError
from xpm_engine.verbs.far import FarLives, host_of
from xpm_engine.verbs.jobs.current import CurrentRuns
from xpm_engine.verbs.jobs.listing import reason_words
from xpm_engine.verbs.retry_outline import Refusal, RefusalKind, RetryOutline, RetryRow, Role
from xpm_engine.workspace import aliases, processes, scan, tickets
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.orders import StoredOrder
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.records.resources import Resources
from xpm_engine.workspace.records.states import UNREADABLE_NEXT, JobState
from xpm_engine.workspace.scan import JobRecord

RETRYABLE = frozenset((JobState.FAILED, JobState.DIED, JobState.CANCELLED, JobState.BLOCKED))
"""The states that a filter is taken to mean; others have nothing to try again."""


@dataclass(frozen=True)
class RetryJob(RetryRow):
    """A job of a retry."""

    order: StoredOrder
    run: str
    """``experiment/run`` that ordered it before; empty where it was never launched."""


@dataclass(frozen=True)
class ResourceChanges:
    """What the jobs that were asked for need now; None: as before."""

    cpus: int | None = None
    memory: int | str | None = None
    gpus: int | None = None
    time: float | str | None = None

    def check(self) -> None:
        """Raises UsageError for what is no number, size or duration."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        Resources(**given)

    def apply(self, order: StoredOrder) -> StoredOrder:
        """The order with these resources; raises UnreadableError."""
        if self == ResourceChanges():
            return order
        before = Resources.read(order.resources, str(order.key)) if order.resources else Resources()
        now = Resources(
            cpus=before.cpus if self.cpus is None else self.cpus,
            memory=before.memory if self.memory is None else self.memory,
            gpus=before.gpus if self.gpus is None else self.gpus,
            time=before.time if self.time is None else self.time,
            grace=before.grace,
            tokens=before.tokens,
        )
        return replace(order, resources=now.to_json())


@dataclass(frozen=True)
class RetryPlan(RetryOutline):
    """What a retry would do."""

    jobs: tuple[RetryJob, ...]
    workspace: WorkspacePaths


def plan_retry(
    workspace: WorkspacePaths,
    keys: Iterable[JobKey],
    *,
    assume_dead: bool = False,
    changes: ResourceChanges | None = None,
) -> RetryPlan:
    """What running these jobs again means; writes nothing.

    `assume_dead`: what can't be asked from here counts as dead. `changes` are for the jobs in
    `keys` alone. Raises UsageError for resources that are none.
    """
    changes = changes or ResourceChanges()
    changes.check()
    planner = _Planner(workspace, assume_dead, changes)
    planner.choose(keys)
    planner.add_dependants()
    return RetryPlan(
        jobs=tuple(planner.jobs.values()),
        refused=tuple(planner.refused.values()),
        presumed_dead=tuple(planner.presumed_dead),
        workspace=workspace,
    )


class _Planner:
    """Gathers the jobs of a retry."""

    def __init__(
        self, workspace: WorkspacePaths, assume_dead: bool, changes: ResourceChanges
    ) -> None:
        self.jobs: dict[JobKey, RetryJob] = {}
        self.refused: dict[JobKey, Refusal] = {}
        self.presumed_dead: list[JobKey] = []
        self._workspace = workspace
        self._assume_dead = assume_dead
        self._changes = changes
        self._runs = CurrentRuns(workspace)
        self._far = FarLives(workspace)
        self._records: dict[JobKey, JobRecord] = {}

    def choose(self, keys: Iterable[JobKey]) -> None:
        """Take the jobs that were asked for, and all that they need, upstream first."""
        asked = dict.fromkeys(keys)
        for top in asked:
            stack = [top]
            seen: set[JobKey] = set()
            while stack:
                key = stack[-1]
                if key in self.jobs or key in self.refused:
                    stack.pop()
                    continue
                job = self._job(key, Role.AGAIN if key in asked else Role.UPSTREAM)
                lacking = [] if job is None else self._lacking(job)
                if job is None or not lacking:
                    stack.pop()
                    if job is not None:
                        self.jobs[key] = job
                    continue
                refused = next((each for each in lacking if each in self.refused), None)
                if refused is not None:
                    self._refuse_behind(key, self.refused[refused])
                elif key in seen:
                    self._refuse(key, RefusalKind.UNREADABLE, "it is made from itself")
                else:
                    seen.add(key)
                    stack += lacking

    def add_dependants(self) -> None:
        """Let those come along that wait, or would, for one of the jobs."""
        behind = self._runs.downstream(self.jobs)
        waiting = [key for key in behind if key not in self.jobs and self._waits(key)]
        for key in waiting:
            job = self._job(key, Role.DEPENDANT)
            if job is None:
                continue
            for upstream in self._lacking(job):
                if self._record(upstream).state in (JobState.RUNNING, JobState.QUEUED):
                    followed = self._followed(upstream)
                    if followed is not None:
                        self.jobs[upstream] = followed
            lacking = self._lacking(job)
            if lacking:
                state = self._record(lacking[0]).state
                text = f"{_name(lacking[0])}, which it needs too, is {state.value}"
                self._refuse(key, RefusalKind.STILL_BLOCKED, text)
            else:
                self.jobs[key] = job

    def _job(self, key: JobKey, role: Role) -> RetryJob | None:
        """The job in this role; None if it is refused."""
        record = self._record(key)
        if role is Role.UPSTREAM and record.state in (JobState.RUNNING, JobState.QUEUED):
            return self._followed(key)
        if not self._may_run(key, record):
            return None
        order = self._order(key, record)
        if order is None:
            return None
        if role is Role.AGAIN:
            order = self._changes.apply(order)
        why = "" if record.reason is None else reason_words(record.reason)
        return RetryJob(key, role, record.state, why, order, record.run)

    def _followed(self, key: JobKey) -> RetryJob | None:
        record = self._record(key)
        order = self._order(key, record)
        if order is None:
            return None
        return RetryJob(key, Role.FOLLOWED, record.state, "", order, record.run)

    def _lacking(self, job: RetryJob) -> list[JobKey]:
        """What it is made from that has no result, and is no job of the retry yet."""
        if job.role is Role.FOLLOWED:
            return []
        return [
            key for key in job.order.awaited if key not in self.jobs and not self._has_result(key)
        ]

    def _has_result(self, key: JobKey) -> bool:
        try:
            return aliases.has_result(self._workspace, key)
        except (UnreadableError, FileNotFoundError):
            return False

    def _waits(self, key: JobKey) -> bool:
        """Whether a job behind one of the retry's has not run, or is blocked since."""
        record = self._record(key)
        if record.state is JobState.NOT_SUBMITTED:
            return True
        return record.state.ended_badly and key in self._runs.blocked

    def _may_run(self, key: JobKey, record: JobRecord) -> bool:
        match record.state:
            case JobState.DONE:
                self._refuse(key, RefusalKind.DONE, "it is done")
            case JobState.UNREADABLE:
                self._refuse(key, RefusalKind.UNREADABLE, f"{record.problem}; {UNREADABLE_NEXT}")
            case JobState.CLEANING:
                self._refuse(key, RefusalKind.CLEANING, "it is on its way to the trash")
            case JobState.RUNNING:
                if record.mirror is not None:
                    return self._may_presume_dead(key)
                self._refuse(key, RefusalKind.RUNNING, "it is running")
            case JobState.QUEUED:
                return self._may_take_over(key)
            case JobState.UNREACHABLE:
                if self._assume_dead:
                    self.presumed_dead.append(key)
                    return True
                who = record.supervisor
                where = "" if who is None else f": process {who.pid} on {who.host}"
                text = f"it runs where it can't be asked from here{where}"
                self._refuse(key, RefusalKind.UNREACHABLE, text)
            case _:
                return True
        return False

    def _may_presume_dead(self, key: JobKey) -> bool:
        """Whether a job of another host may count as dead."""
        job = self._workspace.job(key)
        with suppress(UnreadableError, FileNotFoundError):
            attempt = tickets.last_attempt(job)
            if attempt is not None:
                text = self._far.why_not_dead(job, attempt, assume=self._assume_dead)
                if text:
                    self._refuse(key, RefusalKind.RUNNING, text)
                    return False
        self.presumed_dead.append(key)
        return True

    def _may_take_over(self, key: JobKey) -> bool:
        """Whether a queued job's plan is dead, so that the retry sees to it that it starts."""
        try:
            attempt = tickets.last_attempt(self._workspace.job(key))
        except (UnreadableError, FileNotFoundError):
            attempt = None
        if attempt is None:
            return True
        driver = attempt.launch.driver
        liveness = processes.liveness(driver)
        if liveness is Liveness.DEAD:
            sent = host_of(self._workspace.job(key), attempt) is not None
            return self._may_presume_dead(key) if sent and self._assume_dead else True
        if liveness is Liveness.UNKNOWN:
            if self._assume_dead:
                return self._may_presume_dead(key)
            text = f"its plan can't be asked from here: process {driver.pid} on {driver.host}"
            self._refuse(key, RefusalKind.UNREACHABLE, text)
            return False
        self._refuse(
            key, RefusalKind.RUNNING, f"it is queued, and run {attempt.launch.run} goes on"
        )
        return False

    def _order(self, key: JobKey, record: JobRecord) -> StoredOrder | None:
        """Its order, if it can be carried out; else it is refused."""
        try:
            order = self._of_launch(key, record)
            if order is None:
                order = self._runs.order(key)
            if order is not None:
                code = ParamsRecord.from_json(order.params, str(key)).code
                if not code.file or os.path.isfile(code.file):
                    return order
                self._refuse(key, RefusalKind.CODE_GONE, f"its code is gone: {code.file}")
                return None
        except UnreadableError as error:
            self._refuse(key, RefusalKind.UNREADABLE, f"{error.where}: {error.what}")
            return None
        text = "it never started, and what it takes is not stored: run its plan again"
        self._refuse(key, RefusalKind.NO_ORDER, text)
        return None

    def _of_launch(self, key: JobKey, record: JobRecord) -> StoredOrder | None:
        if record.alias is not None:
            return None
        try:
            attempt = tickets.last_attempt(self._workspace.job(key))
        except FileNotFoundError:
            return None
        if attempt is None or not attempt.launch.params:
            return None
        return StoredOrder.of_launch(attempt.launch)

    def _record(self, key: JobKey) -> JobRecord:
        if key not in self._records:
            self._records[key] = scan.read_job(self._workspace, key)
        return self._records[key]

    def _refuse_behind(self, key: JobKey, upstream: Refusal) -> None:
        text = f"it is made from {_name(upstream.key)}: {upstream.text}"
        self._refuse(key, RefusalKind.UPSTREAM, text)

    def _refuse(self, key: JobKey, kind: RefusalKind, text: str) -> None:
        self.refused[key] = Refusal(key, kind, text)


def homes(plan: RetryPlan, runs: CurrentRuns) -> Iterator[tuple[str, tuple[RetryJob, ...]]]:
    """The jobs of each run that the retry takes: experiment and jobs, upstream first.

    A job is in the run of its own experiment; what it needs of the others it waits for there.
    """
    own: dict[str, dict[JobKey, None]] = {}
    by_key = {job.key: job for job in plan.jobs}
    for job in plan.jobs:
        if job.role is not Role.FOLLOWED:
            own.setdefault(_home(job, runs, own), {})[job.key] = None
    for experiment, keys in own.items():
        wanted = set(keys)
        stack = list(keys)
        while stack:
            for upstream in by_key[stack.pop()].order.dependencies:
                if upstream in by_key and upstream not in wanted:
                    wanted.add(upstream)
                    stack.append(upstream)
        yield experiment, tuple(job for job in plan.jobs if job.key in wanted)


def _home(job: RetryJob, runs: CurrentRuns, taken: Iterable[str]) -> str:
    """The experiment that a job is run again in: one that has to do with the retry, if it can."""
    current = runs.experiments.get(job.key, [])
    ordered = job.run.partition("/")[0]
    choices = [ordered, *taken] if ordered else list(taken)
    return next((name for name in choices if name in current), current[0] if current else ordered)


def _name(key: JobKey) -> str:
    return f"{key.task}/{key.short}"
