"""From a filter to the jobs of a workspace that it selects."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from xpm_engine.errors import FilterError
from xpm_engine.filters import Filter, compile_filter
from xpm_engine.verbs.jobs.columns import JobColumns
from xpm_engine.verbs.jobs.find import find_jobs, is_filter
from xpm_engine.verbs.jobs.listing import JobRow, latest_views, row_in_run, row_of
from xpm_engine.verbs.jobs.snapshots import STATES, SeenRun, Snapshot, codes_of
from xpm_engine.workspace import scan
from xpm_engine.workspace.index import JobReader, PackedReferences, keys_of, pack_manifest
from xpm_engine.workspace.index import JobRow as PackedRow
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.states import JobState, seen_by_run
from xpm_engine.workspace.scan import RunView


@dataclass(frozen=True)
class Selected:
    """The jobs that a filter selects."""

    rows: tuple[JobRow, ...]
    """Each job once, in the light of the newest run that references it."""
    faults: tuple[FilterError, ...] = ()
    """Names that no job has; then there are no rows."""


def select(workspace: WorkspacePaths, texts: Sequence[str], *, strict: bool) -> Selected:
    """The jobs of all latest runs, and those that only have a folder, that the filter selects.

    `texts` are joined with blanks, as a shell splits a filter without quotes. With `strict`, for
    verbs that change something, an unknown name and an empty filter are errors. Raises
    FilterError.
    """
    now = time.time()
    chosen = read_filter(texts, now=now, strict=strict)
    columns = all_columns(workspace, now=now)
    selection = chosen.select(columns, strict=strict)
    rows = [row_at(columns, place) for place in selection.of(range(columns.rows))]
    return Selected(tuple(rows), selection.faults)


def read_filter(texts: Sequence[str], *, now: float, strict: bool) -> Filter:
    """The filter that was typed; `strict` refuses an empty one. Raises FilterError."""
    chosen = compile_filter(" ".join(texts), now=now)
    if strict and chosen.empty:
        raise FilterError(
            "the filter is empty, and would mean every job",
            hint="say which ones: state:failed, exp=NAME; `xpm ls` shows what a filter selects",
        )
    return chosen


def chosen_jobs(
    workspace: WorkspacePaths, texts: Sequence[str], *, states: Collection[JobState]
) -> list[JobKey]:
    """The jobs that a verb which changes something is given: each by name, or all by a filter.

    A filter is told by an operator (``:``, ``=``, ``~``, ``<``, ``>``), and means only jobs in
    one of `states`. Raises UsageError, FilterError.
    """
    if not is_filter(texts):
        return list(find_jobs(workspace, texts))
    return [row.key for row in select(workspace, texts, strict=True).rows if row.state in states]


def all_columns(workspace: WorkspacePaths, *, now: float) -> JobColumns:
    """The jobs of all latest runs, the newest run last, then those that only have a folder.

    `now` is in seconds since 1970. What was remembered saves reading what has not changed.
    """
    reader = JobReader(workspace)
    views = [view for view, _ in latest_views(reader)]
    named = dict.fromkeys(chain.from_iterable(keys_of(view.manifest) for view in views))
    rows = reader.rows(named)
    others = reader.rows([key for key in sorted(scan.list_jobs(workspace)) if key not in named])
    reader.keep()
    rows.update(others)
    runs = [_seen_run(view, rows) for view in views]
    return JobColumns(Snapshot(workspace, [*named, *others], rows, runs, now))


def row_at(columns: JobColumns, place: int) -> JobRow:
    """One of these jobs."""
    record, line = columns.record(place), columns.line(place)
    if line is None:
        return row_of(record)
    return row_in_run(line, STATES[columns.codes[place]], record, columns.waits.get(place))


def _seen_run(view: RunView, rows: Mapping[JobKey, PackedRow]) -> SeenRun:
    lines = pack_manifest(view.manifest).references
    assert isinstance(lines, PackedReferences)
    waits = {} if view.queue is None else {wait.key: wait for wait in view.queue.waits}
    codes = codes_of(map(rows.get, lines.keys))
    if view.live or waits:
        for place, key in enumerate(lines.keys):
            if view.live or key in waits:
                kind = waits[key].kind if key in waits else None
                state = seen_by_run(STATES[codes[place]], wait=kind, expected=view.live)
                codes[place] = STATES.index(state)
    user = "" if view.record is None else view.record.user
    return SeenRun(view.experiment, view.run, True, user, lines, bytes(codes), waits)
