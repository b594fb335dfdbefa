"""What a plan would do: the same plan, read without writing or running anything."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum

from xpm_engine.config.order import Order
from xpm_engine.config.problems import caller
from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.errors import PlanFileError, UnreadableError, XpmError
from xpm_engine.plan.drift import Drift, Settled, find_drift
from xpm_engine.plan.environment import other_project, project_of
from xpm_engine.plan.script import run_script
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.records.states import JobState


class Forecast(Enum):
    """What would become of a job."""

    REUSED = "reused"
    ATTACHED = "attached"
    """It runs already, for another plan."""
    RUN = "run"
    DRIFTED = "drifted"
    """It is done, with other defaults than today's."""
    ADOPTED = "adopted"
    """It is done under a former name."""
    UNREADABLE = "unreadable"


HAS_RESULT = frozenset((Forecast.REUSED, Forecast.ADOPTED, Forecast.DRIFTED))
"""Those whose results the plan can read already."""


@dataclass(frozen=True)
class PreviewJob:
    """One job of a previewed plan."""

    experiment: str
    workspace: WorkspacePaths
    order: Order
    options: SubmitOptions
    forecast: Forecast
    state: JobState
    """As its folder tells now."""
    drift: Drift | None = None
    executed: str = ""
    """The resolved digest that its result was or would be made with."""
    adopted: JobKey | None = None
    """The job under a former name whose result would be used."""
    problem: str = ""
    """What can't be read."""

    @property
    def key(self) -> JobKey:
        return self.order.key

    @property
    def launcher(self) -> str:
        """What would run it."""
        return str(self.options.launcher)


class PreviewStopped(XpmError):  # noqa: N818 (it stops a preview, and no user sees it)
    """The plan asks for a result that is not there yet: it can't be read any further."""


class Recorder:
    """Takes the place of the scheduler: looks, and remembers."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, JobKey], PreviewJob] = {}

    @property
    def jobs(self) -> tuple[PreviewJob, ...]:
        """In the order of the plan, each job of an experiment once."""
        return tuple(self._jobs.values())

    def submit(
        self,
        experiment: str,
        workspace: WorkspacePaths,
        order: Order,
        options: SubmitOptions,
        adopted: JobKey | None,
    ) -> None:
        """Look at a job that the plan submits."""
        known = self._jobs.get((experiment, order.key))
        if known is None:
            upstream = [
                job.drift
                for key in order.dependencies
                if (job := self._jobs.get((experiment, key))) is not None and job.drift is not None
            ]
            settled = self._settled(experiment)
            found = _forecast(
                experiment, workspace, order, options, settled=settled, upstream=upstream
            )
            if adopted is not None:
                found = replace(found, forecast=Forecast.ADOPTED, adopted=adopted)
        else:
            tags = {**known.order.tags, **order.tags}
            found = replace(known, order=replace(known.order, tags=tags))
        self._jobs[experiment, order.key] = found

    def has_result(self, key: JobKey) -> bool:
        """Whether a job that the plan has submitted is done already."""
        found = [job for (_, each), job in self._jobs.items() if each == key]
        return bool(found) and found[-1].forecast in HAS_RESULT

    def check_result(self, key: JobKey) -> None:
        """Raise PreviewStopped where a result is asked for that is not there yet."""
        if not self.has_result(key):
            raise PreviewStopped(
                f"it asks for the result of {key.task}/{key.short}", where=caller()
            )

    def _settled(self, experiment: str) -> Settled:
        def settled(key: JobKey) -> str | None:
            job = self._jobs.get((experiment, key))
            return job.executed if job is not None and job.drift is None else None

        return settled


_recorder: Recorder | None = None


def current_recorder() -> Recorder | None:
    """Where experiments submit to while a plan is previewed; None otherwise."""
    return _recorder


@contextmanager
def recording() -> Generator[Recorder]:
    """Have experiments only say what they would do, in this block."""
    global _recorder  # noqa: PLW0603 (a process previews one plan at a time)
    _recorder = Recorder()
    try:
        yield _recorder
    finally:
        _recorder = None


@dataclass(frozen=True)
class Preview:
    """What a plan would do."""

    jobs: tuple[PreviewJob, ...]
    stopped: str = ""
    """Where and why the plan could not be read further: it uses results that are not there yet."""


def preview_plan(path: str, arguments: Mapping[str, str]) -> Preview:
    """Execute a plan's file, and say what each of its jobs would do; writes and runs nothing.

    A plan that reads results which are not there yet stops where it does; what it submitted until
    then is told. Raises what `run_script` raises where no missing result can be the cause.
    """
    with recording() as recorder:
        try:
            run_script(path, arguments)
        except SystemExit as error:
            if error.code not in (None, 0):
                raise
        except PreviewStopped as error:
            return Preview(recorder.jobs, f"{error.where}: {error.what}")
        except PlanFileError as error:
            if all(job.forecast in HAS_RESULT for job in recorder.jobs):
                raise
            return Preview(recorder.jobs, f"{error.where}: {error.what}")
    return Preview(recorder.jobs)


def _forecast(
    experiment: str,
    workspace: WorkspacePaths,
    order: Order,
    options: SubmitOptions,
    *,
    settled: Settled,
    upstream: Sequence[Drift],
) -> PreviewJob:
    job = workspace.job(order.key)
    record = scan.read_job(workspace, order.key)
    made = PreviewJob(
        experiment, workspace, order, options, Forecast.RUN, record.state, executed=order.resolved
    )
    if record.state is JobState.UNREADABLE:
        return replace(made, forecast=Forecast.UNREADABLE, problem=record.problem)
    running = record.state in (JobState.QUEUED, JobState.RUNNING, JobState.UNREACHABLE)
    if not running and record.state is not JobState.DONE:
        return made
    try:
        resolved, project = _made_with(job, record) or (order.resolved, "")
        made = replace(made, executed=resolved)
        drift = find_drift(
            order,
            job,
            record.attempt,
            resolved,
            settled=settled,
            upstream=upstream,
            other_project=other_project(project, project_of(order.roots.project)),
            adopt=False,
        )
    except (UnreadableError, FileNotFoundError) as error:
        return replace(made, forecast=Forecast.UNREADABLE, problem=str(error))
    if drift is not None:
        return replace(made, forecast=Forecast.DRIFTED, drift=drift)
    return replace(made, forecast=Forecast.ATTACHED if running else Forecast.REUSED)


def _made_with(job: JobPaths, record: scan.JobRecord) -> tuple[str, str] | None:
    """Resolved digest and project of the attempt that stands; None where the result is adopted.

    Of a job that is done only N.end is read, as a run does: damage elsewhere keeps no result back.
    """
    if record.alias is not None:
        return None
    if record.state is JobState.DONE:
        end = tickets.read_end(job, record.attempt)
        return end.resolved, end.project
    attempt = tickets.last_attempt(job)
    return None if attempt is None else (attempt.launch.resolved, attempt.launch.project)
