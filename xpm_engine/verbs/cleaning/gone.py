"""Jobs that left the workspace: in which clean each lies, or what stays known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xpm_engine.errors import UsageError
from xpm_engine.filters import Getters, RowTable, compile_filter, flag_column
from xpm_engine.words import plain
from xpm_engine.workspace.cleaning import list_purged, list_trash
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.purged import Purged, PurgedJob

OPERATORS = ":=~<>"
"""What tells a filter from the name of a job or a clean."""


@dataclass(frozen=True)
class Gone:
    """A job that is not in the workspace any more."""

    key: JobKey
    clean: str
    """The transaction that it went with."""
    purged: bool
    """Whether it was deleted for good."""

    @property
    def words(self) -> str:
        """Where it is."""
        name = f"{self.key.task}/{self.key.short}"
        return f"{name} was deleted for good" if self.purged else f"{name} lies in the trash"

    @property
    def hint(self) -> str:
        """What can be done about it."""
        if self.purged:
            return f"`xpm undo --purged {self.key.short}` shows what stays known of it"
        return f"`xpm undo {self.clean}` brings it back"


def gone_jobs(workspace: WorkspacePaths) -> tuple[Gone, ...]:
    """All of them, those in the trash first; reads only."""
    lying = (
        Gone(removal.key, clean.name, purged=False)
        for clean in list_trash(workspace)
        for removal in clean.removals
    )
    deleted = (
        Gone(job.key, record.name, purged=True)
        for record in list_purged(workspace)
        for job in record.jobs
    )
    return (*lying, *deleted)


def find_purged(workspace: WorkspacePaths, text: str, *, now: float) -> tuple[Purged, ...]:
    """The records with the jobs that `text` means: a clean, a job, or a filter.

    A job by the beginning of its identifier, or of ``TASK/IDENTIFIER``. Each record has only those
    jobs that are meant. Reads only. Raises FilterError, and UsageError where none is meant.
    """
    records = list_purged(workspace)
    whole = tuple(record for record in records if record.name == text)
    if whole:
        return whole
    found: list[Purged] = []
    chosen = compile_filter(text, now=now) if any(sign in text for sign in OPERATORS) else None
    for record in records:
        if chosen is None:
            jobs: Sequence[PurgedJob] = [job for job in record.jobs if _is_meant(job.key, text)]
        else:
            table = RowTable[PurgedJob](record.jobs, _GETTERS)
            jobs = list(chosen.select(table, strict=False).of(record.jobs))
        if jobs:
            found.append(replace(record, jobs=tuple(jobs), pieces=()))
    if not found:
        raise UsageError(
            f"nothing that was deleted for good is {plain(text)!r}",
            where=workspace.purged,
            hint="xpm undo --purged names the cleans; a job or a filter finds jobs in them",
        )
    return tuple(found)


def _is_meant(key: JobKey, text: str) -> bool:
    task, slash, prefix = text.strip().rstrip("/").lower().rpartition("/")
    if not prefix or not key.identifier.startswith(prefix):
        return False
    return not slash or key.task == task or key.task.endswith("." + task)


_GETTERS: Getters[PurgedJob] = Getters(
    {
        "id": lambda job: job.key.identifier,
        "task": lambda job: (job.key.task, job.key.task.rpartition(".")[2]),
        "state": lambda job: job.state.value,
        "exp": lambda job: job.run.partition("/")[0] or None,
        "run": lambda job: job.run.partition("/")[2] or None,
        "reason": lambda job: job.reason or None,
        "attempt": lambda job: job.attempt or None,
        "time": lambda job: job.seconds,
        "age": lambda job: parse_time(job.ended or job.started or ""),
        "size": lambda job: job.size,
        "started": lambda job: parse_time(job.started or ""),
        "ended": lambda job: parse_time(job.ended or ""),
        flag_column("live"): lambda _: False,
    },
    tags=lambda job: job.tags,
    params=lambda job: job.params,
    metrics=lambda job: job.metrics,
)
