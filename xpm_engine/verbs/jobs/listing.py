"""The jobs of a workspace as rows: what the runs say, and what the folders tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from xpm_engine.errors import UsageError
from xpm_engine.words import plain, wait_words
from xpm_engine.workspace import scan
from xpm_engine.workspace.index import JobReader, keys_of, state_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Reason, Wait
from xpm_engine.workspace.records.runs import How, PlanState, Reference
from xpm_engine.workspace.records.states import JobState, seen_by_run
from xpm_engine.workspace.scan import JobRecord, RunView
from xpm_engine.workspace.standing import Current, narrowed, read_current


@dataclass(frozen=True)
class JobRow:
    """A job, in the light of a run where there is one."""

    key: JobKey
    state: JobState
    record: JobRecord
    """What its folder tells."""
    tags: Mapping[str, Any]
    params: Mapping[str, Any]
    """Those not at their default, flattened by dotted path."""
    dependencies: tuple[JobKey, ...]
    how: How | None = None
    """How the run came by it; None without a run."""
    drift: tuple[str, ...] = ()
    """What changed since its result was made, as the run has seen."""
    resolved: str = ""
    """The resolved digest of that run, where there is drift."""
    wait: Wait | None = None

    @property
    def why(self) -> str:
        """Why it is as it is, in a line; empty where the state says it all."""
        return why_words(self.state, self.record, self.wait)


@dataclass(frozen=True)
class RunRows:
    """A run, and the jobs that it references in the order of its plan."""

    view: RunView
    rows: tuple[JobRow, ...]
    note: str = ""
    """Why it is listed, or what came after it, where that is not plain; else empty."""


def list_run(
    workspace: WorkspacePaths,
    experiment: str,
    run: str | None = None,
    *,
    reader: JobReader | None = None,
) -> RunRows:
    """The jobs of a run; if none is named, of that which the experiment stands on, with retries.

    Raises UsageError where there is no such experiment or run.
    """
    reader = reader or JobReader(workspace)
    if run is None:
        current = read_current(workspace, _known(workspace, experiment), read=reader.run)
        if current is None:
            raise UsageError(f"the experiment {experiment} has no run yet", where=workspace.root)
        return _rows(reader, current.view, later_words(current))
    if run not in scan.list_runs(workspace, _known(workspace, experiment)):
        text = f"the experiment {experiment} has no run {run!r}"
        raise UsageError(text, where=workspace.root)
    return _rows(reader, reader.run(experiment, run))


def later_words(current: Current) -> str:
    """What became of the plan after the run that stands; empty if that is the latest."""
    later = current.standing.later
    if not later:
        return ""
    latest, plan = later[0], later[0].plan
    how = "is unreadable" if plan is None else _BROKE_OFF.get(plan, plan.value)
    error = "" if latest.record is None else latest.record.error or ""
    count = len(keys_of(latest.manifest))
    words = f"the later run {latest.run} {how}" + (f": {plain(error)}" if error else "")
    return f"{words} ({count} of these {len(keys_of(current.view.manifest))} jobs named)"


_BROKE_OFF = {
    PlanState.PARTIAL: "was of a part",
    PlanState.RAISED: "raised an error",
    PlanState.INTERRUPTED: "was interrupted",
    PlanState.CRASHED: "crashed",
}


def _left(reader: JobReader, current: Current) -> list[tuple[RunView, str]]:
    """What failed in runs that the one that stands does not replace, and nothing newer names."""
    found: list[tuple[RunView, str]] = []
    for view, keys in current.standing.left():
        rows = reader.rows(keys)
        failed = [key for key in keys if key in rows and state_of(rows[key]) in FAILED]
        if failed:
            note = "what failed in an earlier run, and no complete run has named since"
            found.append((narrowed(view, failed), note))
    return found


def _rows(reader: JobReader, view: RunView, note: str = "") -> RunRows:
    waits = {} if view.queue is None else {wait.key: wait for wait in view.queue.waits}
    rows: list[JobRow] = []
    records = reader.records(keys_of(view.manifest))
    for line in view.manifest.references:
        record = records[line.key]
        wait = waits.get(line.key)
        kind = None if wait is None else wait.kind
        state = seen_by_run(record.state, wait=kind, expected=view.live)
        rows.append(row_in_run(line, state, record, wait))
    return RunRows(view, tuple(rows), note)


def list_latest(
    workspace: WorkspacePaths, *, reader: JobReader | None = None
) -> tuple[RunRows, ...]:
    """What every experiment stands on, the newest last, where a terminal ends.

    What was retried since then is seen as the retry sees it. What failed in runs that are not
    replaced comes before the run that stands (`standing`).
    """
    reader = reader or JobReader(workspace)
    found = tuple(_rows(reader, view, note) for view, note in latest_views(reader))
    reader.keep()
    return found


def latest_views(reader: JobReader) -> list[tuple[RunView, str]]:
    """The runs that `list_latest` lists, each with its note."""
    workspace = reader.workspace
    names = scan.list_experiments(workspace)
    every = [
        current for name in names if (current := read_current(workspace, name, read=reader.run))
    ]
    every.sort(
        key=lambda current: (max(view.run for view in current.views), current.view.experiment)
    )
    found: list[tuple[RunView, str]] = []
    for current in every:
        found += reversed(_left(reader, current))
        found.append((current.view, later_words(current)))
    return found


def list_folders(workspace: WorkspacePaths) -> tuple[JobRow, ...]:
    """Every job whose folder stands in the workspace, whether a run names it or not."""
    reader = JobReader(workspace)
    records = reader.records(sorted(scan.list_jobs(workspace)))
    reader.keep()
    return tuple(
        row_of(record) for record in records.values() if record.state is not JobState.NOT_SUBMITTED
    )


def row_in_run(line: Reference, state: JobState, record: JobRecord, wait: Wait | None) -> JobRow:
    """A job by what a run tells of it, in the state in which that run sees it."""
    return JobRow(
        key=line.key,
        state=state,
        record=record,
        tags=line.tags,
        params=line.params,
        dependencies=line.dependencies,
        how=line.how,
        drift=line.drift,
        resolved=line.resolved,
        wait=wait,
    )


def row_of(record: JobRecord) -> JobRow:
    """A job by what its folder tells, without a run."""
    return JobRow(
        key=record.key,
        state=record.state,
        record=record,
        tags=record.tags,
        params=record.params,
        dependencies=record.dependencies,
    )


FAILED = (JobState.FAILED, JobState.DIED)


def why_words(state: JobState, record: JobRecord, wait: Wait | None) -> str:
    """Why a job is as it is, in a line; empty where the state says it all."""
    if record.problem:
        return plain(record.problem)
    if wait is not None and state.held_up:
        return wait_words(wait)
    if state.ended_badly and record.reason is not None:
        return reason_words(record.reason)
    return ""


def reason_words(reason: Reason) -> str:
    """Why a job ended, with the line of the user's code: ``ValueError: no  train.py:88``."""
    frame = reason.frame
    place = f"  {frame.file.rpartition('/')[2]}:{frame.line}" if frame is not None else ""
    return plain(reason.text + place)


def _known(workspace: WorkspacePaths, experiment: str) -> str:
    names = scan.list_experiments(workspace)
    if experiment in names:
        return experiment
    close = get_close_matches(experiment, names, n=1)
    hint = f"did you mean {close[0]}?" if close else None
    if hint is None and names:
        hint = "it has " + ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    raise UsageError(
        f"there is no experiment {plain(experiment)!r} in this workspace",
        where=workspace.root,
        hint=hint or "it has no experiments yet",
    )
