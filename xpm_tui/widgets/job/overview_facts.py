"""What only a job's folder and the system know of it: read in a thread."""

from __future__ import annotations

import os
from dataclasses import dataclass

from xpm_engine.errors import UnreadableError
from xpm_engine.verbs.why import Cause, Why, why
from xpm_engine.workspace import scan
from xpm_engine.workspace.elsewhere import rest_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.jobs import Progress
from xpm_engine.workspace.records.mirror import Fetched
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Attempt
from xpm_engine.workspace.tickets import read_attempt, ticket_names
from xpm_tui.facts.usage import LiveUsage, live_usage
from xpm_tui.store import Job


@dataclass(frozen=True)
class OverviewFacts:
    """What was read."""

    attempts: tuple[Attempt, ...] = ()
    """Void ones left out, oldest first."""
    usage: LiveUsage | None = None
    pinned: bool = False
    problem: str = ""
    came_to: Progress | None = None
    """How far an attempt came that ended badly."""
    there: Fetched | None = None
    """What of its result is on another host alone."""
    sign: float | None = None
    """When the supervisor last gave a sign, in seconds since 1970; None where it does not matter"""


@dataclass(frozen=True)
class Explained:
    """Why a job ran, as far as the records tell."""

    key: JobKey
    attempt: int
    words: str
    compared: str = ""
    """The earlier job it was compared with."""
    reused: bool = False
    """Whether it did not run at all: another job's result was adopted."""


def read_overview(workspace: WorkspacePaths, job: Job, *, away: bool = False) -> OverviewFacts:
    """Read the tickets of all attempts, and what the living process uses.

    `away`: they are copies of another machine's, whose times say nothing.
    """
    paths = workspace.job(job.key)
    attempts: list[Attempt] = []
    problem = ""
    try:
        for number, kinds in sorted(ticket_names(paths).items()):
            attempts.append(read_attempt(paths, number, kinds))
    except FileNotFoundError:
        problem = "the job's folder went away while it was read"
    except UnreadableError as error:
        problem = f"{error.where}: {error.what}"
    process = job.record.task or job.record.supervisor
    running = job.state in (JobState.RUNNING, JobState.UNREACHABLE)
    number = job.record.attempt
    return OverviewFacts(
        attempts=tuple(attempt for attempt in attempts if not attempt.void),
        usage=live_usage(process) if job.state is JobState.RUNNING and process else None,
        pinned=os.path.lexists(paths.pin),
        problem=problem,
        came_to=scan.read_progress(paths, number) if job.state.ended_badly else None,
        there=None if away or job.state is not JobState.DONE else rest_of(workspace, job.key),
        sign=scan.last_sign(paths, number) if running and not away else None,
    )


def explain(workspace: WorkspacePaths, job: Job) -> Explained:
    """Why the job ran; reads the parameters of the earlier jobs of its task."""
    return explained(job, why(workspace, job.key))


def explained(job: Job, found: Why) -> Explained:
    """The same, from what was found."""
    nearest = "" if found.nearest is None else found.nearest.short
    return Explained(
        job.key, job.record.attempt, found.text, nearest, reused=found.cause is Cause.ADOPTED
    )
