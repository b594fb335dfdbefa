"""From a filter to the jobs of a workspace that it selects."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from xpm_engine.errors import FilterError
from xpm_engine.filters import RowTable, compile_filter
from xpm_engine.verbs.find import find_jobs
from xpm_engine.verbs.job_facts import JobFacts, SeenJob, job_getters
from xpm_engine.verbs.listing import JobRow, RunRows, list_latest, row_of
from xpm_engine.workspace import scan
from xpm_engine.workspace.index import JobReader
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.runs import How
from xpm_engine.workspace.records.states import JobState

OPERATORS = ":=~<>"
"""What tells a filter from the name of a job or an experiment."""


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
    chosen = compile_filter(" ".join(texts), now=now)
    if strict and chosen.empty:
        raise FilterError(
            "the filter is empty, and would mean every job",
            hint="say which ones: state:failed, exp=NAME; `xpm ls` shows what a filter selects",
        )
    facts = all_jobs(workspace)
    table = RowTable[JobFacts[SeenJob]](facts, job_getters(workspace, now=now))
    selection = chosen.select(table, strict=strict)
    return Selected(tuple(found.job for found in selection.of(facts)), selection.faults)


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


def is_filter(texts: Sequence[str]) -> bool:
    """Whether a verb was given a filter, and not the names of jobs."""
    return any(operator in text for text in texts for operator in OPERATORS)


def all_jobs(workspace: WorkspacePaths) -> list[JobFacts[JobRow]]:
    """The jobs of all latest runs, the newest run last, then those that only have a folder."""
    found: dict[JobKey, _Found] = {}
    reader = JobReader(workspace)
    for run in list_latest(workspace, reader=reader):
        _add_run(found, run)
    others = [key for key in sorted(scan.list_jobs(workspace)) if key not in found]
    for key, record in reader.records(others).items():
        if record.state is not JobState.NOT_SUBMITTED:
            found[key] = _Found(row_of(record))
            experiment, slash, run_id = record.run.partition("/")
            if slash:
                found[key].runs.append((experiment, run_id))
    reader.keep()
    downstream: dict[JobKey, list[str]] = {}
    for key, job in found.items():
        for upstream in job.row.dependencies:
            downstream.setdefault(upstream, []).append(str(key))
    return [_facts(job, downstream.get(key, ())) for key, job in found.items()]


@dataclass
class _Found:
    row: JobRow
    runs: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    needing: list[str] = field(default_factory=list[str])
    """The experiments whose latest run references it."""
    asked: str | None = None
    user: str = ""


def _add_run(found: dict[JobKey, _Found], run: RunRows) -> None:
    view = run.view
    for row, line in zip(run.rows, view.manifest.references, strict=True):
        job = found.setdefault(row.key, _Found(row))
        job.row = row
        job.runs.append((view.experiment, view.run))
        job.needing.append(view.experiment)
        job.asked = line.at if line.how in (How.NEW, How.RETRIED) else None
        job.user = "" if view.record is None else view.record.user


def _facts(job: _Found, downstream: Iterable[str]) -> JobFacts[JobRow]:
    return JobFacts(
        job.row,
        experiments=tuple(experiment for experiment, _ in job.runs),
        runs=tuple(run for _, run in job.runs),
        needed_by=(*job.needing, *downstream),
        asked=job.asked,
        user=job.user,
    )
