"""A job's folder as a frozen record."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import aliases, tickets
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.layout import (
    JobKey,
    JobPaths,
    WorkspacePaths,
)
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.jobs import JobSummary, Progress
from xpm_engine.workspace.records.mirror import Mirror
from xpm_engine.workspace.records.params import ParamsRecord, flatten
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.states import JobState, derive_state, state_of_outcome
from xpm_engine.workspace.records.tickets import Attempt, Usage
from xpm_engine.workspace.scan.dead import Dead, dead_here

_NO_VALUES: Mapping[str, Any] = {}


@dataclass(frozen=True)
class JobRecord:
    """What the job's folder tells."""

    key: JobKey
    state: JobState
    attempt: int = 0
    """The number of its last attempt that is not void; 0 for none."""
    run: str = ""
    """``experiment/run`` that ordered that attempt."""
    launched: str | None = None
    started: str | None = None
    ended: str | None = None
    usage: Usage | None = None
    reason: Reason | None = None
    exit_code: int | None = None
    signal: int | None = None
    supervisor: ProcessIdentity | None = None
    task: ProcessIdentity | None = None
    user: str = ""
    tags: Mapping[str, Any] = field(default_factory=dict[str, Any])
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The parameters not at their default, flattened by dotted path."""
    dependencies: tuple[JobKey, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    progress: Progress | None = None
    resolved: str = ""
    mirror: Mirror | None = None
    """Where it runs or ran, if that is another host: what is told here is a copy."""
    problem: str = ""
    """What could not be read; empty unless the state is unreadable."""
    sign: float | None = None
    """Of a job that can't be asked from here: when its supervisor last gave a sign of life, in
    seconds since 1970; a hint for people, and never a reason to decide."""
    alias: JobKey | None = None
    """The job under its former name whose result this is; None for a result of its own."""
    launcher: str | None = None
    """What the last attempt was started with; None if only its order says that."""
    shared: tuple[str, ...] | None = None
    """The folders that the last attempt shares; None if only its order says that."""
    pinned: bool = False
    """Whether somebody pinned it, so that no clean moves it."""


def read_job(workspace: WorkspacePaths, key: JobKey) -> JobRecord:
    """What the job's folder tells now; an absent folder is `never started`."""
    record = _read_or_say(workspace, key)
    return replace(record, pinned=True) if os.path.lexists(workspace.job(key).pin) else record


def _read_or_say(workspace: WorkspacePaths, key: JobKey) -> JobRecord:
    try:
        record = _read_job(workspace.job(key), key)
        if record.state is JobState.NOT_SUBMITTED:
            adopted = aliases.resolve(workspace, key)
            if adopted != key:
                return replace(_read_job(workspace.job(adopted), key), alias=adopted)
        return record
    except FileNotFoundError:
        return JobRecord(key, JobState.NOT_SUBMITTED)
    except UnreadableError as error:
        return JobRecord(key, JobState.UNREADABLE, problem=f"{error.where}: {error.what}")


@dataclass(frozen=True)
class JobFiles:
    """The files of a job's ``.xpm/``, here or as another host told them."""

    job: JobPaths
    attempts: dict[int, set[str]]
    """Attempt -> which tickets it has."""
    read: tickets.ReadObject = read_object


def _read_job(job: JobPaths, key: JobKey) -> JobRecord:
    return record_from(JobFiles(job, tickets.ticket_names(job)), key, dead=dead_here)


def record_from(files: JobFiles, key: JobKey, *, dead: Dead) -> JobRecord:
    """What the files of a job tell; raises UnreadableError, FileNotFoundError."""
    job, names = files.job, files.attempts
    summary = tickets.read_summary(job, read=files.read)
    if summary is not None and summary.outcome is not None and _is_told(files, summary):
        return _of_summary(key, summary, state_of_outcome(summary.outcome))
    attempt = None
    for number in sorted(names, reverse=True):
        attempt = tickets.read_attempt(job, number, names[number], read=files.read)
        if not attempt.void:
            break
        attempt = None
    state = derive_state(attempt, dead=dead)
    if attempt is None:
        return JobRecord(key, state)
    if summary is not None and summary.attempt == attempt.number:
        record = _of_summary(key, summary, state)
    else:
        record = _of_launch(key, attempt, state)
    return _with_tickets(record, files, attempt)


def _is_told(files: JobFiles, summary: JobSummary) -> bool:
    """Whether a summary tells what the tickets do: an end, and nothing behind it.

    The tickets decide: an end that can't be read is no end, whatever the summary says.
    """
    names, number = files.attempts, summary.attempt
    if "end" not in names.get(number, ()):
        return False
    # Behind it may stand only what an undone clean leaves.
    later = sorted(each for each in names if each > number)
    if any("end" not in names[each] for each in later):
        return False
    ends = [tickets.read_end(files.job, each, read=files.read) for each in (number, *later)]
    wanted = [summary.outcome, *[Outcome.VOID] * len(later)]
    return [end.outcome for end in ends] == wanted


def _of_summary(key: JobKey, summary: JobSummary, state: JobState) -> JobRecord:
    return JobRecord(
        key=key,
        state=state,
        attempt=summary.attempt,
        run=summary.run,
        started=summary.started,
        ended=summary.ended,
        usage=summary.usage,
        reason=summary.reason,
        exit_code=summary.exit_code,
        signal=summary.signal,
        supervisor=summary.supervisor,
        task=summary.task,
        user=summary.user,
        tags=summary.tags,
        params=summary.params,
        dependencies=summary.dependencies,
        metrics=summary.metrics,
        resolved=summary.resolved,
        mirror=summary.mirror,
        launcher=summary.launcher,
        shared=summary.shared,
    )


def _of_launch(key: JobKey, attempt: Attempt, state: JobState) -> JobRecord:
    launch = attempt.launch
    params = _NO_VALUES
    if launch.params:
        params = flatten(ParamsRecord.from_json(launch.params, str(key)))
    return JobRecord(
        key=key,
        state=state,
        attempt=attempt.number,
        run=launch.run,
        launched=launch.at,
        tags=launch.tags,
        params=params,
        dependencies=launch.dependencies,
        resolved=launch.resolved,
        launcher=launch.launcher,
        shared=launch.shared,
    )


def _with_tickets(record: JobRecord, files: JobFiles, attempt: Attempt) -> JobRecord:
    changes: dict[str, Any] = {
        "launched": attempt.launch.at,
        "launcher": attempt.launch.launcher,
        "shared": attempt.launch.shared,
    }
    start, end = attempt.start, attempt.end
    if start is not None:
        changes.update(started=start.at, supervisor=start.by, user=start.user)
        if record.mirror is None:
            changes.update(mirror=start.mirror)
    if end is not None:
        changes.update(
            ended=end.at,
            usage=end.usage,
            reason=end.reason,
            exit_code=end.exit_code,
            signal=end.signal,
            metrics=end.metrics,
        )
    elif record.state is JobState.DIED and start is not None:
        text = f"no exit record, and process {start.by.pid} is gone"
        changes.update(reason=Reason(ReasonKind.NO_EXIT_RECORD, text))
    if record.state in (JobState.RUNNING, JobState.UNREACHABLE, JobState.DIED):
        changes.update(progress=read_progress(files.job, attempt.number, read=files.read))
    if record.state is JobState.UNREACHABLE:
        changes.update(sign=last_sign(files.job, attempt.number))
    return replace(record, **changes)


def last_sign(job: JobPaths, attempt: int) -> float | None:
    """When a supervisor last touched its sign of life, or began; None if neither can be seen."""
    times: list[float] = []
    for path in (job.alive, job.start(attempt)):
        try:
            times.append(os.stat(path).st_mtime)
        except OSError:
            continue
    return max(times, default=None)


def read_progress(
    job: JobPaths, attempt: int, *, read: tickets.ReadObject = read_object
) -> Progress | None:
    """How far the attempt says it is; None if it said nothing that can be read."""
    try:
        progress = Progress.from_json(read(job.progress), job.progress)
    except (FileNotFoundError, UnreadableError):
        return None
    return progress if progress.attempt == attempt else None


def read_params(job: JobPaths, attempt: int) -> ParamsRecord | None:
    """The canonical parameters of a job: params.json, or the order of `attempt` before it started.

    Raises UnreadableError.
    """
    try:
        return ParamsRecord.from_json(read_object(job.params), job.params)
    except FileNotFoundError:
        pass
    try:
        data = read_object(job.launch(attempt)).get("params")
    except FileNotFoundError:
        return None
    return ParamsRecord.from_json(data if isinstance(data, dict) else {}, job.launch(attempt))
