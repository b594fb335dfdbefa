"""Claiming, starting, finding and ending the jobs of this host, for a scheduler of another.

The tickets of the folder here decide, as everywhere. All is asked by nonce: asked twice, also by
an asker whose connection was cut in between, it comes to the same end.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import os
import signal
from typing import Any, Dict, Iterator, List, Optional

from xpm_engine.remote.agent.serving import Answer, Request
from xpm_engine.remote.agent.starting import Command, Starter
from xpm_engine.remote.frames import Message
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import make_folders
from xpm_engine.workspace.claims import Look, Verdict, end_survivors, look
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.tickets import Attempt, Launch

_starter = Starter()


def launch(request: Request) -> "Iterator[Optional[Message]]":
    """Have an order run here, unless it has its place already; part: what became of it.

    Fields: `root` of the workspace; `launch`, an N.launch whose attempt is numbered here; `python`,
    `engine`: how it is started. Answers ``state``: *ours* (claimed, now or earlier), *other* (an
    attempt of somebody else lives; it is followed as well), *done* (there is a result), *cleaning*;
    with the tickets of that attempt.
    """
    fields = request.fields
    workspace = WorkspacePaths(fields.text("root"))
    command = Command.read(fields)
    asked = Launch.from_json(fields.mapping("launch"), fields.where)
    job = workspace.job(asked.key)
    while True:
        own = _by_nonce(job, asked.nonce)
        if own is not None:
            break
        found = look(job, lost=_never, recover=_nothing)
        if found.verdict is not Verdict.FREE:
            yield Message(_other(job, found))
            return
        order = _numbered(asked, found.number)
        if tickets.claim_launch(job, order):
            own = Attempt(found.number, order)
            break
    if own.start is None and own.end is None and not processes.with_argument([asked.nonce]):
        make_folders(workspace.xpm)
        for _ in _starter.start(job, own.number, asked.nonce, command, workspace.supervisors_log):
            yield None
        own = _by_nonce(job, asked.nonce) or own
    yield Message(_told("ours", own))


def find(request: Request) -> Answer:
    """What became of orders: `jobs` [[key, nonce], ...]; null for one that never came here."""
    workspace = WorkspacePaths(request.fields.text("root"))
    found: List[Optional[Dict[str, Any]]] = []
    for key, nonce in request.fields.items("jobs"):
        own = _by_nonce(workspace.job(JobKey.parse(str(key))), str(nonce))
        found.append(None if own is None else _told("ours", own))
    return {"found": found}


def void(request: Request) -> Answer:
    """Make sure that an order never starts here, also one that is still on its way.

    Answers ``state``: *void*, or as `launch` does where it is too late for that.
    """
    fields = request.fields
    asked = Launch.from_json(fields.mapping("launch"), fields.where)
    job = WorkspacePaths(fields.text("root")).job(asked.key)
    user, why = fields.text("user"), fields.text("why")
    while True:
        own = _by_nonce(job, asked.nonce)
        if own is not None:
            break
        if not os.path.isdir(job.xpm):
            # Nobody has a folder here, and a late order could only be the one of a cut line.
            return {"state": "void"}
        found = look(job, lost=_never, recover=_nothing)
        if found.verdict is not Verdict.FREE:
            return _other(job, found)
        order = _numbered(asked, found.number)
        if tickets.claim_launch(job, order):
            own = Attempt(found.number, order)
            break
    if tickets.void(job, own, user=user, why=why):
        return {"state": "void"}
    return _told("ours", _by_nonce(job, asked.nonce) or own)


def kill(request: Request) -> Answer:
    """Ask attempts to stop, or see that they never start: `jobs` [[key, attempt], ...].

    Answers for each: *asked*, *cancelled*, *gone* (dead already; its end is recorded now),
    *ended*, or *elsewhere* (it runs on another machine of this workspace).
    """
    workspace = WorkspacePaths(request.fields.text("root"))
    user = request.fields.text("user")
    told = [
        _kill(workspace.job(JobKey.parse(str(key))), int(attempt), user)
        for key, attempt in request.fields.items("jobs")
    ]
    return {"killed": told}


def reap(request: Request) -> Answer:
    """Record the death of those attempts that are proved dead: `jobs` [[key, attempt], ...].

    Answers for each: *lives*, *ended*, *died* (recorded now), *gone* (there is no such attempt).
    """
    workspace = WorkspacePaths(request.fields.text("root"))
    told = [
        _reap(workspace.job(JobKey.parse(str(key))), int(attempt))
        for key, attempt in request.fields.items("jobs")
    ]
    return {"reaped": told}


def _kill(job: JobPaths, number: int, user: str) -> str:
    attempt = _attempt(job, number)
    if attempt is None or attempt.end is not None:
        return "ended"
    if attempt.start is None:
        if tickets.void(job, attempt, user=user, why=f"cancelled by {user} before it started"):
            return "cancelled"
        attempt = _attempt(job, number)
    if attempt is None or attempt.start is None or attempt.end is not None:
        return "ended"
    if processes.send_signal(attempt.start.by, signal.SIGTERM):
        return "asked"
    if processes.liveness(attempt.start.by) is Liveness.UNKNOWN:
        return "elsewhere"
    return "gone" if _reap(job, number) == "died" else "ended"


def _reap(job: JobPaths, number: int) -> str:
    attempt = _attempt(job, number)
    if attempt is None:
        return "gone"
    if attempt.end is not None:
        return "ended"
    if not tickets.proved_dead(job, attempt):
        return "lives"
    end_survivors(attempt.launch.nonce)
    tickets.reap(job, attempt)
    return "died"


def _attempt(job: JobPaths, number: int) -> Optional[Attempt]:
    try:
        names = tickets.ticket_names(job)
        return tickets.read_attempt(job, number, names[number]) if number in names else None
    except FileNotFoundError:
        return None


def _by_nonce(job: JobPaths, nonce: str) -> Optional[Attempt]:
    """The attempt that this order has here."""
    try:
        names = tickets.ticket_names(job)
        for number in sorted(names, reverse=True):
            attempt = tickets.read_attempt(job, number, names[number])
            if attempt.launch.nonce == nonce:
                return attempt
    except FileNotFoundError:
        pass
    return None


def _numbered(asked: Launch, number: int) -> Launch:
    data = {**asked.to_json(), "attempt": number}
    return Launch.from_json(data, "the order")


def _other(job: JobPaths, found: Look) -> Dict[str, Any]:
    if found.verdict is Verdict.CLEANING:
        return {"state": "cleaning"}
    state = "done" if found.verdict is Verdict.DONE else "other"
    attempt = _attempt(job, found.ended if state == "done" else found.number)
    return {"state": "cleaning"} if attempt is None else _told(state, attempt)


def _told(state: str, attempt: Attempt) -> Dict[str, Any]:
    return {
        "state": state,
        "attempt": attempt.number,
        "nonce": attempt.launch.nonce,
        "resolved": attempt.launch.resolved,
        "start": None if attempt.start is None else attempt.start.to_json(),
        "end": None if attempt.end is None else attempt.end.to_json(),
    }


def _never(attempt: Attempt) -> bool:
    """Whether an order is lost: only its own scheduler can tell, and it asks by nonce."""
    return False


def _nothing() -> bool:
    """What a dead cleaner left is for a cleaner: this agent moves no folders."""
    return False
