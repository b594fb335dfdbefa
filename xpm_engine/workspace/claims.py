"""What the tickets of a job let a scheduler do next (docs/design.md, *Run once*).

The same on a plan's machine and, by the agent, on another host.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum
from typing import Callable, Optional

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.layout import JobPaths
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import Attempt, End, LaunchedBy, read_done

MOST_LOOKS = 1000
"""Looks that may find a folder changed or gone: a plan must not look at one job for ever."""


class Verdict(Enum):
    """What a plan may do about a job."""

    DONE = "done"
    FREE = "free"
    """Attempt `number` may be claimed."""
    RUNNING = "running"
    """A supervisor has it."""
    COMING = "coming"
    """It is claimed, and will start or be given up by whoever claimed it."""
    CLEANING = "cleaning"
    MIRRORED = "mirrored"
    """It was started by a launcher on another host, and is only mirrored here."""
    UNREACHABLE = "unreachable"
    """It was started where nothing can be proved from here."""


@dataclass(frozen=True)
class Look:
    """What one look at a job's tickets tells."""

    verdict: Verdict
    number: int
    """The attempt to follow, or, where free, to claim."""
    nonce: str = ""
    """Of the launch to follow."""
    process: Optional[ProcessIdentity] = None
    """The supervisor to watch, if it is known."""
    end: Optional[End] = None
    """How the last attempt that is not void ended, unless it is done."""
    ended: int = 0
    """The number of that attempt."""
    resolved: str = ""
    """The resolved digest of the attempt that ended, or is followed."""
    project: str = ""
    """Its project, ``name@commit``; empty where there is none."""


Lost = Callable[[Attempt], bool]
"""Whether an order that has not started is proved to be nobody's any more."""

Recover = Callable[[], bool]
"""Bring what a dead cleaner left to an end; whether something changed."""


def look(job: JobPaths, *, lost: Lost, recover: Recover) -> Look:
    """Read the tickets, bring to an end what is proved to be over, and say what may be done.

    Raises UnreadableError for a damaged ticket: nothing may be run over what can't be read.
    """
    for _ in range(MOST_LOOKS):
        try:
            found = _look(job, lost, recover)
        except FileNotFoundError:
            # A cleaner moved the folder while we read it.
            continue
        if found is not None:
            return found
    raise UnreadableError("its tickets can't be read: is one a broken link?", where=job.xpm)


def _look(job: JobPaths, lost: Lost, recover: Recover) -> Optional[Look]:
    """None where the look itself changed something, and another one is due."""
    names = tickets.ticket_names(job)
    if not names:
        return Look(Verdict.FREE, 1)
    number = max(names)
    if "end" not in names[number]:
        return _not_ended(job, tickets.read_attempt(job, number, names[number]), lost, recover)
    # Most looks end here: of a job that is done only its N.end is read, and of that two fields.
    path = job.end(number)
    data = read_object(path)
    done = read_done(data, path)
    if done is not None:
        return Look(Verdict.DONE, number, ended=number, resolved=done[0], project=done[1])
    end = End.from_json(data, path)
    if end.outcome is not Outcome.VOID:
        return _ended(number, end, free=number + 1)
    last = tickets.last_attempt(job)
    if last is None or last.end is None:
        return Look(Verdict.FREE, number + 1)
    return _ended(last.number, last.end, free=number + 1)


def _ended(number: int, end: End, *, free: int) -> Look:
    done = end.outcome is Outcome.DONE
    return Look(
        Verdict.DONE if done else Verdict.FREE,
        number if done else free,
        end=None if done else end,
        ended=number,
        resolved=end.resolved,
        project=end.project,
    )


def _not_ended(job: JobPaths, attempt: Attempt, lost: Lost, recover: Recover) -> Optional[Look]:
    number, launch = attempt.number, attempt.launch
    if attempt.start is None:
        return _not_started(job, attempt, lost, recover)
    if attempt.start.void:
        tickets.complete_void(job, number)
        return None
    if attempt.start.mirror is not None:
        return _followed(Verdict.MIRRORED, attempt)
    if tickets.proved_dead(job, attempt):
        end_survivors(launch.nonce)
        tickets.reap(job, attempt)
        return None
    by = attempt.start.by
    if processes.liveness(by) is Liveness.UNKNOWN:
        return _followed(Verdict.UNREACHABLE, attempt)
    return _followed(Verdict.RUNNING, attempt, process=by)


def _followed(
    verdict: Verdict, attempt: Attempt, *, process: Optional[ProcessIdentity] = None
) -> Look:
    """An attempt that somebody has, whose end is to be waited for."""
    launch = attempt.launch
    return Look(
        verdict,
        attempt.number,
        launch.nonce,
        process=process,
        resolved=launch.resolved,
        project=launch.project,
    )


def _not_started(job: JobPaths, attempt: Attempt, lost: Lost, recover: Recover) -> Optional[Look]:
    launch = attempt.launch
    if launch.by is LaunchedBy.CLEAN:
        # A cleaner that died left its ticket here: its journal says what to do about it.
        if processes.liveness(launch.driver) is Liveness.DEAD and recover():
            return None
        return Look(Verdict.CLEANING, attempt.number, launch.nonce)
    if not lost(attempt):
        return _followed(Verdict.COMING, attempt)
    tickets.void(
        job,
        attempt,
        user=processes.user_name(),
        why="its plan is gone, and its launcher has lost it",
    )
    return None


def end_survivors(nonce: str) -> int:
    """End the processes that a dead attempt left behind, before another attempt may start.

    They carry the nonce of their order in their environment. Returns how many there were.
    """
    survivors = processes.with_environment("XPM_NONCE", nonce)
    for process in survivors:
        processes.send_signal(process, signal.SIGKILL)
    return len(survivors)
