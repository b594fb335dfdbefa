"""The fields of a job that filters ask for, for the commands and for the app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from xpm_engine.errors import UnreadableError
from xpm_engine.filters import Cell, Getters, flag_column
from xpm_engine.verbs.jobs.listing import why_words
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.cleaning.sizes import folder_size
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.runs import How
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord


class SeenJob(Protocol):
    """A job in the light of a run: a row of a list, or the app's."""

    @property
    def key(self) -> JobKey: ...
    @property
    def state(self) -> JobState: ...
    @property
    def record(self) -> JobRecord: ...
    @property
    def tags(self) -> Mapping[str, Any]: ...
    @property
    def params(self) -> Mapping[str, Any]: ...
    @property
    def dependencies(self) -> tuple[JobKey, ...]: ...
    @property
    def how(self) -> How | None: ...
    @property
    def drift(self) -> tuple[str, ...]: ...
    @property
    def wait(self) -> Wait | None: ...


Job_co = TypeVar("Job_co", bound=SeenJob, covariant=True)


@dataclass(frozen=True)
class JobFacts(Generic[Job_co]):
    """A job, and what only those know who see all runs."""

    job: Job_co
    experiments: tuple[str, ...] = ()
    """Those whose run references it."""
    runs: tuple[str, ...] = ()
    """The ids of these runs."""
    needed_by: tuple[str, ...] = ()
    """``task/identifier`` of the jobs made from it, and the experiments that reference it."""
    asked: str | None = None
    """When the run asked for it, as records state time; None if that was not for this attempt."""
    user: str = ""
    """Who the run belongs to."""


def job_getters(workspace: WorkspacePaths, *, now: float) -> Getters[JobFacts[SeenJob]]:
    """How filters find the fields of a job; `now` is in seconds since 1970.

    What only an app knows, or takes a plan to find out, is left for the caller to add:
    ``is.marked``, ``is.obsolete``.
    """
    you = processes.user_name()

    fields: dict[str, Callable[[JobFacts[SeenJob]], Cell]] = {
        "id": lambda facts: facts.job.key.identifier,
        "task": _task,
        "state": lambda facts: facts.job.state.value,
        "exp": lambda facts: facts.experiments,
        "run": lambda facts: facts.runs,
        "reason": lambda facts: _reason(facts.job),
        "cause": lambda facts: cause_of(facts.job.state, facts.job.record),
        "host": _host,
        "launcher": lambda facts: launcher_of(workspace, facts.job.key, facts.job.record),
        "owner": lambda facts: _owner(facts) or None,
        "attempt": lambda facts: facts.job.record.attempt or None,
        "progress": _progress,
        "time": lambda facts: _time(facts.job, now),
        "wait": lambda facts: _wait(facts, now),
        "age": lambda facts: _moment(_last_change(facts)),
        "size": lambda facts: size_of(workspace, facts.job.key, facts.job.record),
        "started": lambda facts: _moment(facts.job.record.started),
        "ended": lambda facts: _moment(facts.job.record.ended),
        "needs": lambda facts: tuple(map(str, facts.job.dependencies)),
        "neededby": lambda facts: facts.needed_by,
        flag_column("live"): lambda facts: facts.job.state.live,
        flag_column("reused"): lambda facts: facts.job.how is How.REUSED,
        flag_column("drifted"): lambda facts: bool(facts.job.drift),
        flag_column("pinned"): lambda facts: facts.job.record.pinned,
        flag_column("mine"): lambda facts: _owner(facts) == you,
    }
    return Getters(
        fields,
        tags=lambda facts: facts.job.tags,
        params=lambda facts: facts.job.params,
        metrics=lambda facts: facts.job.record.metrics,
    )


def _task(facts: JobFacts[SeenJob]) -> Cell:
    task = facts.job.key.task
    last = task.rpartition(".")[2]
    return task if last == task else (task, last)


def _reason(job: SeenJob) -> Cell:
    return why_words(job.state, job.record, job.wait) or None


def cause_of(state: JobState, record: JobRecord) -> str | None:
    """``ValueError train.py:88``; None for a job that did not end badly."""
    reason = record.reason
    if reason is None or not state.ended_badly:
        return None
    frame = reason.frame
    place = "" if frame is None else f" {frame.file.rpartition('/')[2]}:{frame.line}"
    return (reason.exception or reason.kind.value) + place


def _host(facts: JobFacts[SeenJob]) -> Cell:
    supervisor = facts.job.record.supervisor
    return None if supervisor is None else supervisor.host


def launcher_of(workspace: WorkspacePaths, key: JobKey, record: JobRecord) -> str | None:
    """Of its last attempt; where its record does not tell, the ticket is read."""
    number = record.attempt
    if record.launcher is not None or not number:
        return record.launcher
    try:
        return tickets.read_attempt(workspace.job(key), number, {"launch"}).launch.launcher
    except (FileNotFoundError, UnreadableError):
        return None


def size_of(workspace: WorkspacePaths, key: JobKey, record: JobRecord) -> int | None:
    """Bytes of its folder on the disk; None if it has none."""
    if record.state is JobState.NOT_SUBMITTED or not record.attempt:
        return None
    return folder_size(workspace.job(key).root, set())


def _owner(facts: JobFacts[SeenJob]) -> str:
    return facts.job.record.user or facts.user


def _progress(facts: JobFacts[SeenJob]) -> Cell:
    progress = facts.job.record.progress
    return None if progress is None else progress.fraction


def _time(job: SeenJob, now: float) -> Cell:
    record = job.record
    if record.usage is not None:
        return record.usage.seconds
    began, ended = _moment(record.started), _moment(record.ended)
    if began is None or (ended is None and not job.state.live):
        return None
    return max(0.0, (now if ended is None else ended) - began)


def _wait(facts: JobFacts[SeenJob], now: float) -> Cell:
    """By the clocks of who asked and who started, which may be two machines'."""
    record = facts.job.record
    asked, began = _moment(facts.asked or record.launched), _moment(record.started)
    if asked is None or (began is None and not facts.job.state.live):
        return None
    seconds = (now if began is None else began) - asked
    return seconds if seconds >= 0 else None


def _last_change(facts: JobFacts[SeenJob]) -> str | None:
    record = facts.job.record
    return record.ended or record.started or record.launched or facts.asked


def _moment(text: str | None) -> float | None:
    return None if text is None else parse_time(text)
