"""The one function that derives the state that is shown, from tickets and what is proved."""

from __future__ import annotations

from enum import Enum
from typing import Callable, Optional

from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome, WaitKind
from xpm_engine.workspace.records.tickets import Attempt, LaunchedBy


class JobState(str, Enum):
    """The state of a job, in the words of the screens."""

    WAITING = "waiting"
    READY = "ready"
    """Nothing holds it back but its turn."""
    BLOCKED = "blocked"
    """Something upstream failed."""
    QUEUED = "queued"
    """Told to a launcher."""
    RUNNING = "running"
    UNREACHABLE = "unreachable"
    """Running on a machine that can't be asked from here."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DIED = "died"
    CLEANING = "cleaning"
    """On its way to the trash."""
    NOT_SUBMITTED = "never started"
    """A dead run referenced it, and nothing of it was started."""
    UNREADABLE = "unreadable"

    @property
    def live(self) -> bool:
        """Whether it can still change by itself."""
        return self in _LIVE

    @property
    def held_up(self) -> bool:
        """Whether what its run says that it waits for can hold: its queue is up to a second old."""
        return self in _HELD_UP

    @property
    def ended_badly(self) -> bool:
        """Whether a person should look at it."""
        return self in (JobState.FAILED, JobState.DIED, JobState.CANCELLED)


UNREADABLE_NEXT = "if nothing of it runs, move its folder away and run the plan again"
"""What to do about an unreadable job, whose tickets nobody may replace: only a person can know."""

_HELD_UP = frozenset((JobState.WAITING, JobState.BLOCKED, JobState.QUEUED, JobState.UNREACHABLE))

_LIVE = frozenset(
    (
        JobState.WAITING,
        JobState.READY,
        JobState.BLOCKED,
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.UNREACHABLE,
        JobState.CLEANING,
    )
)

_OF_OUTCOME = {
    Outcome.DONE: JobState.DONE,
    Outcome.FAILED: JobState.FAILED,
    Outcome.CANCELLED: JobState.CANCELLED,
    Outcome.DIED: JobState.DIED,
}

_CAN_WAIT = frozenset((JobState.NOT_SUBMITTED, JobState.FAILED, JobState.CANCELLED, JobState.DIED))


def state_of_outcome(outcome: Outcome) -> JobState:
    """The state of a job whose last attempt that is not void ended so; raises KeyError for void."""
    return _OF_OUTCOME[outcome]


def derive_state(
    attempt: Optional[Attempt],
    *,
    dead: Callable[[ProcessIdentity], Optional[bool]],
    wait: Optional[WaitKind] = None,
    expected: bool = False,
) -> JobState:
    """The state of a job.

    `attempt` is its last one that is not void, None if there is none; `dead` says whether a
    supervisor is proved dead (True), proved alive (False) or out of sight (None); `wait` is what
    a live run says it waits for; `expected` whether a live run is going to submit it.
    """
    stored = JobState.NOT_SUBMITTED if attempt is None else _stored_state(attempt, dead)
    return seen_by_run(stored, wait=wait, expected=expected)


def seen_by_run(
    stored: JobState, *, wait: Optional[WaitKind] = None, expected: bool = False
) -> JobState:
    """The state of a job for a run that references it, from the state its folder tells.

    `wait` and `expected` are as in `derive_state`. A result that is there never waits: the run's
    queue is up to a second older than the folder.
    """
    if wait is not None and stored in _CAN_WAIT:
        return JobState.BLOCKED if wait is WaitKind.UPSTREAM_FAILED else JobState.WAITING
    if wait is WaitKind.SENT and stored is JobState.QUEUED:
        return JobState.UNREACHABLE
    if stored is JobState.NOT_SUBMITTED and expected:
        return JobState.READY
    return stored


def _stored_state(attempt: Attempt, dead: Callable[[ProcessIdentity], Optional[bool]]) -> JobState:
    if attempt.end is not None:
        return _OF_OUTCOME[attempt.end.outcome]
    if attempt.launch.by is LaunchedBy.CLEAN:
        return JobState.CLEANING
    if attempt.start is None:
        return JobState.QUEUED
    if attempt.start.mirror is not None:
        # Whether it lives is told by its own host: how old that word is, is shown beside it.
        return JobState.RUNNING
    proved = dead(attempt.start.by)
    if proved is None:
        return JobState.UNREACHABLE
    return JobState.DIED if proved else JobState.RUNNING
