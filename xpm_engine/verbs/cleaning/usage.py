"""What experiments and tasks take on the disk, and how much of it is obsolete."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from xpm_engine.verbs.cleaning.clean import list_trash
from xpm_engine.verbs.cleaning.obsolete import survey_workspace
from xpm_engine.verbs.jobs.selecting import all_columns, read_filter
from xpm_engine.workspace.cleaning.sizes import folder_size
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths

NO_RUN = "(in no latest run)"


@dataclass(frozen=True)
class UsageRow:
    """The jobs of one task that the same experiments use."""

    experiments: str
    """Those whose latest run references them, so that each job counts once."""
    task: str
    jobs: int
    size: int
    """Bytes on the disk."""
    obsolete: int
    """Bytes of it that nobody needs, leftovers of attempts included."""


@dataclass(frozen=True)
class DiskUsage:
    """What the jobs of a workspace take."""

    rows: tuple[UsageRow, ...]
    """The largest first."""
    trash: int
    """Bytes in the trash, as far as they were measured."""

    @property
    def size(self) -> int:
        return sum(row.size for row in self.rows)

    @property
    def obsolete(self) -> int:
        return sum(row.obsolete for row in self.rows)


def disk_usage(workspace: WorkspacePaths, texts: Sequence[str] = ()) -> DiskUsage:
    """Measure the jobs that a filter selects, all of them without one; reads only.

    A file with several hard links counts once. Raises FilterError.
    """
    now = time.time()
    columns = all_columns(workspace, now=now)
    places: Sequence[int] = range(columns.rows)
    if texts:
        places = read_filter(texts, now=now, strict=True).select(columns, strict=True).of(places)
    experiments = columns.column("exp")
    assert experiments is not None
    cells = list(experiments.cells())
    free: dict[JobKey, set[int]] = {}
    for offer in survey_workspace(workspace).survey.obsolete:
        if offer.free:
            free.setdefault(offer.key, set()).add(offer.attempt)
    seen: set[tuple[int, int]] = set()
    totals: dict[tuple[str, str], tuple[int, int, int]] = {}
    for place in places:
        key, cell = columns.keys[place], cells[place]
        size = folder_size(workspace.job(key).root, seen)
        gone = _free_size(workspace.job(key), free.get(key, set()), size)
        names = NO_RUN
        if columns.line(place) is not None and isinstance(cell, tuple):
            names = ", ".join(sorted(set(map(str, cell))))
        jobs, bytes_, obsolete = totals.get((names, key.task), (0, 0, 0))
        totals[names, key.task] = jobs + 1, bytes_ + size, obsolete + gone
    rows = [UsageRow(*label, *values) for label, values in totals.items()]
    rows.sort(key=lambda row: (-row.size, row.experiments, row.task))
    trash = sum(item.size or 0 for item in list_trash(workspace))
    return DiskUsage(tuple(rows), trash)


def _free_size(job: JobPaths, attempts: set[int], size: int) -> int:
    """How much of a job's bytes nobody needs: all of it, or what these attempts left."""
    if 0 in attempts:
        return size
    return sum(folder_size(job.leftovers(attempt), set()) for attempt in attempts)
