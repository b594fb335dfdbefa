"""What would be moved to the trash: a frozen list, made without touching anything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.cleaning.folders import FolderCheck
from xpm_engine.workspace.cleaning.needs import Need, RunName, RunWatch, runs_over, standing_needs
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.states import UNREADABLE_NEXT, JobState
from xpm_engine.workspace.records.trash import Piece

_ENDED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.DIED)

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
    made from whom. Without them every job is read. Of the planned jobs the tickets are always
    looked at: one of which they say more than its record is read again. `but_for` are runs that
    are not asked: those that want the removal themselves.
    """
    chosen = list(dict.fromkeys(keys))
    if records is None:
        records = {key: scan.read_job(workspace, key) for key in scan.list_jobs(workspace)}
    planned = {key: _look_at(workspace, key, records.get(key)) for key in chosen}
    over = runs_over(workspace) | frozenset(but_for)
    live = RunWatch(workspace, over=over).needs(chosen)
    jobs = standing_needs(chosen, records)
    folders = FolderCheck(workspace)
    rows: list[RemovalRow] = []
    for key in chosen:
        needs = [live[key]] if key in live else []
        needs.extend(jobs.get(key, ()))
        rows.append(_row(planned[key], tuple(needs), folders.trouble(key)))
    doubts = tuple(
        record.problem
        for key, record in records.items()
        if record.state is JobState.UNREADABLE and key not in planned
    )
    return RemovalPlan(tuple(rows), now(), doubts, over)


@dataclass(frozen=True)
class _Looked:
    """A planned job, as its folder tells."""

    record: scan.JobRecord
    last: int = 0
    """The number of its newest attempt."""
    refused: str = ""


def _look_at(workspace: WorkspacePaths, key: JobKey, known: scan.JobRecord | None) -> _Looked:
    """The job; what is known of it is believed if its last attempt is the newest, and has ended.

    A recorded end is final (STATE), and who goes on from there claims the next attempt.
    """
    job = workspace.job(key)
    try:
        names = tickets.ticket_names(job)
    except UnreadableError as error:
        return _Looked(scan.read_job(workspace, key), refused=f"can't be read: {error.what}")
    last = max(names, default=0)
    ended = known is not None and known.state in _ENDED and known.alias is None
    if known is None or not ended or known.attempt != last or "end" not in names.get(last, ()):
        known = scan.read_job(workspace, key)
    return _Looked(known, last)


def _row(looked: _Looked, needs: tuple[Need, ...], refused: str) -> RemovalRow:
    refused = refused or NOT_OVER.get(looked.record.state, "")
    if not refused:
        refused = next((str(need) for need in needs if need.live), "")
    return RemovalRow(looked.record, needs, refused or looked.refused, last=looked.last)
