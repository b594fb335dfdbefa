"""What would be moved to the trash: a frozen list, made without touching anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.cleaning.folders import FolderCheck
from xpm_engine.workspace.cleaning.needs import Need, RunName, RunWatch, runs_over, standing_needs
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.states import UNREADABLE_NEXT, JobState
from xpm_engine.workspace.records.trash import Piece

NOT_OVER = {
    JobState.QUEUED: "it is queued: kill it first",
    JobState.RUNNING: "it is running: kill it first",
    JobState.UNREACHABLE: "it runs on another machine, and nothing proves that it is over",
    JobState.CLEANING: "somebody is cleaning it just now",
    JobState.UNREADABLE: f"its state can't be read, so that it may be running: {UNREADABLE_NEXT}",
}


@dataclass(frozen=True)
class RemovalRow:
    """A job that would be moved."""

    job: scan.JobRecord
    """Its state, tags, parameters and times when the plan was made."""
    needs: tuple[Need, ...] = ()
    """Who needs its folder, jobs of the same plan included (`RemovalPlan.needed_by`)."""
    refused: str = ""
    """Why it can't be moved; empty if it can."""
    size: int | None = None
    """Bytes on the disk; None until `measure`."""
    last: int = 0
    """The number of its newest attempt, void or not; 0 for none."""

    @property
    def key(self) -> JobKey:
        return self.job.key


@dataclass(frozen=True)
class RemovalPlan:
    """A frozen list of jobs to move to the trash."""

    rows: tuple[RemovalRow, ...]
    """One a job, in the order asked for."""
    at: str
    """When it was made."""
    doubts: tuple[str, ...] = ()
    """Jobs that can't be read, so that nobody knows whether they need one of the rows."""
    over: frozenset[RunName] = frozenset()
    """The runs that had ended by then; only others are asked again before each move."""
    pieces: tuple[Piece, ...] = ()
    """What is to be moved besides: of jobs that stay, runs, shared folders."""

    @property
    def ready(self) -> tuple[RemovalRow, ...]:
        """The rows that can be moved."""
        return tuple(row for row in self.rows if not row.refused)

    @property
    def size(self) -> int | None:
        """Bytes of what can be moved; None while something of it is not measured."""
        sizes = [row.size for row in self.ready] + [item.size for item in self.pieces]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def needed_by(self, row: RemovalRow) -> tuple[Need, ...]:
        """Who stays, and needs the folder of this row."""
        return tuple(need for need in row.needs if need.job not in self._leaving)

    def only(self, keys: Collection[JobKey]) -> RemovalPlan:
        """The plan with these rows alone: the ticked ones."""
        kept = frozenset(keys)
        return replace(self, rows=tuple(row for row in self.rows if row.key in kept))

    @cached_property
    def _leaving(self) -> frozenset[JobKey]:
        return frozenset(row.key for row in self.rows if not row.refused)


def plan_removal(
    workspace: WorkspacePaths,
    keys: Sequence[JobKey],
    *,
    records: Mapping[JobKey, scan.JobRecord] | None = None,
    but_for: Collection[RunName] = (),
) -> RemovalPlan:
    """Plan to move these jobs to the trash; reads only.

    `records` are all jobs of the workspace where the caller has them already: they tell who was
    made from whom. Without them every job is read. The planned jobs themselves are always read
    from the disk. `but_for` are runs that are not asked: those that want the removal themselves.
    """
    chosen = list(dict.fromkeys(keys))
    if records is None:
        records = {key: scan.read_job(workspace, key) for key in scan.list_jobs(workspace)}
        fresh = records
    else:
        fresh = {key: scan.read_job(workspace, key) for key in chosen}
    over = runs_over(workspace) | frozenset(but_for)
    live = RunWatch(workspace, over=over).needs(chosen)
    jobs = standing_needs(chosen, records)
    folders = FolderCheck(workspace)
    rows: list[RemovalRow] = []
    for key in chosen:
        needs = [live[key]] if key in live else []
        needs.extend(jobs.get(key, ()))
        record = fresh.get(key) or scan.JobRecord(key, JobState.NOT_SUBMITTED)
        rows.append(_row(workspace, record, tuple(needs), folders.trouble(key)))
    planned = frozenset(chosen)
    doubts = tuple(
        record.problem
        for key, record in records.items()
        if record.state is JobState.UNREADABLE and key not in planned
    )
    return RemovalPlan(tuple(rows), now(), doubts, over)


def _row(
    workspace: WorkspacePaths, record: scan.JobRecord, needs: tuple[Need, ...], refused: str
) -> RemovalRow:
    refused = refused or NOT_OVER.get(record.state, "")
    if not refused:
        refused = next((str(need) for need in needs if need.live), "")
    last = 0
    try:
        last = _newest(workspace.job(record.key))
    except UnreadableError as error:
        refused = refused or f"can't be read: {error.what}"
    return RemovalRow(record, needs, refused, last=last)


def _newest(job: JobPaths) -> int:
    return max(tickets.ticket_names(job), default=0)
