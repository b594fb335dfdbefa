"""Claiming, starting, finding and ending the jobs of this host, for a scheduler of another.

The tickets of the folder here decide, as everywhere. All is asked by nonce: asked twice, also by
an asker whose connection was cut in between, it comes to the same end.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Optional

from xpm_engine.errors import LaunchError, XpmError
from xpm_engine.remote.agent import room, staging, sweeping
from xpm_engine.remote.agent.serving import Answer, Request, told
from xpm_engine.remote.agent.starting import Command, Starter
from xpm_engine.remote.frames import Message
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import make_folders
from xpm_engine.workspace.claims import Look, Verdict, end_survivors, look
from xpm_engine.workspace.layout import XPM, JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.tickets import Attempt, End, Launch, Start

_starter = Starter()


def launch(request: Request) -> "Iterator[Optional[Message]]":
    """Have orders run here, unless they have their places already; parts: what became of each.

    Fields: `root` of the workspace; `orders`, N.launch whose attempts are numbered here; `granted`,
    what was reserved for each (`room.reserve`); `python`, `engine`: how they are started. Parts:
    ``told`` [[index, answer], ...], as soon as they are known: an ``error``, or ``state``: *ours*
    (claimed, now or earlier), *other* (an attempt of somebody else lives; it is followed as well),
    *done* (there is a result), *cleaning*; with the tickets of that attempt.
    """
    fields = request.fields
    workspace, command = WorkspacePaths(fields.text("root")), Command.read(fields)
    granted = fields.items("granted")
    for place in fields.texts("code"):
        sweeping.use(place)
    pending = {
        index: _launched(workspace, command, Launch.from_json(order, fields.where), grant)
        for index, (order, grant) in enumerate(zip(fields.items("orders"), granted))
    }
    while pending:
        known: List[Any] = []
        for index, steps in list(pending.items()):
            try:
                answer = next(steps)
            except (XpmError, OSError) as error:
                answer = {"error": told(error)}
            if answer is not None:
                del pending[index]
                known.append([index, answer])
        yield Message({"told": known}) if known else None


def _launched(
    workspace: WorkspacePaths, command: Command, asked: Launch, granted: "Dict[str, Any]"
) -> "Iterator[Optional[Dict[str, Any]]]":
    """One order: None while its process is on its way, then what became of it."""
    job = workspace.job(asked.key)
    new = False
    while True:
        own = _by_nonce(job, asked.nonce)
        if own is not None:
            break
        found = look(job, lost=_never, recover=_nothing)
        if found.verdict is not Verdict.FREE:
            room.release(asked.nonce)
            yield _other(job, found)
            return
        order = _numbered(asked, found.number)
        if tickets.claim_launch(job, order):
            own, new = Attempt(found.number, order), True
            break
    if _unbegun(own) and (new or not _has_process(job, own)):
        make_folders(workspace.xpm)
        log = workspace.supervisors_log
        for _ in _starter.start(job, own.number, asked.nonce, command, log=log, granted=granted):
            yield None
        own = _by_nonce(job, asked.nonce) or own
    room.hand_over(asked.nonce)
    yield _told("ours", own)


def find(request: Request) -> Answer:
    """What became of orders: `jobs` [[key, nonce], ...]; null for one that never came here.

    As `launch` tells it, and ``waits``: whether its process is here and has not begun.
    """
    workspace = WorkspacePaths(request.fields.text("root"))
    found: List[Optional[Dict[str, Any]]] = []
    for key, nonce in request.fields.items("jobs"):
        job = workspace.job(JobKey.parse(str(key)))
        own = _by_nonce(job, str(nonce))
        if own is None:
            found.append(None)
        else:
            waits = _unbegun(own) and _has_process(job, own)
            found.append({**_told("ours", own), "waits": waits})
    return {"found": found}


def void(request: Request) -> Answer:
    """Make sure that an order never starts here, also one that is still on its way.

    Answers ``state``: *void*, or as `launch` does where it is too late for that.
    """
    fields = request.fields
    asked = Launch.from_json(fields.mapping("launch"), fields.where)
    job = WorkspacePaths(fields.text("root")).job(asked.key)
    user, why = fields.text("user"), fields.text("why")
    room.release(asked.nonce)
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
    killed = [
        _kill(workspace.job(JobKey.parse(str(key))), int(attempt), user)
        for key, attempt in request.fields.items("jobs")
    ]
    return {"killed": killed}


def reap(request: Request) -> Answer:
    """Record the death of those attempts that are proved dead: `jobs` [[key, attempt, nonce], ...].

    Answers for each: *lives*, *ended*, *died* (recorded now), *gone*: there is no such attempt, as
    its folder was removed, and what may have lived of it by its nonce was ended.
    """
    workspace = WorkspacePaths(request.fields.text("root"))
    states: List[str] = []
    for key, attempt, nonce in request.fields.items("jobs"):
        state = _reap(workspace.job(JobKey.parse(str(key))), int(attempt))
        if state == "gone" and nonce:
            end_survivors(str(nonce))
        states.append(state)
    return {"reaped": states}


def has(request: Request) -> Answer:
    """Whether the result of an order is here, or ``busy``: whether somebody makes it just now.

    Raises LaunchError where it is another one.
    """
    asked = Launch.from_json(request.fields.mapping("launch"), request.fields.where)
    found = look(_job(request, asked.key), lost=_never, recover=_nothing)
    if found.verdict is not Verdict.DONE:
        return {"has": False, "busy": found.verdict is not Verdict.FREE}
    if found.resolved and asked.resolved and found.resolved != asked.resolved:
        raise LaunchError(
            f"the result of {asked.key} here was made with other defaults",
            where=_job(request, asked.key).root,
            hint="clean it there, so that it is shipped or run again",
        )
    return {"has": True, "busy": False}


def install(request: Request) -> Answer:
    """Take a result that was made elsewhere in: the files of `stage`, then the end of its attempt.

    Answers ``has``: whether it is here now; not while somebody else makes it.
    """
    fields = request.fields
    stage = fields.text("stage")
    asked = Launch.from_json(fields.mapping("launch"), fields.where)
    job = _job(request, asked.key)
    found = look(job, lost=_never, recover=_nothing)
    if found.verdict is Verdict.FREE:
        nonce, me = tickets.new_nonce(), processes.own_identity()
        data = {**asked.to_json(), "nonce": nonce, "attempt": found.number}
        start = Start.from_json({**fields.mapping("start"), "launch": nonce}, fields.where)
        order = replace(Launch.from_json(data, fields.where), driver=me)
        # Until all of it is here this process is who makes it: should it die, that is proved.
        mine = replace(start, by=me, nonce=tickets.new_nonce(), mirror=None)
        claimed = tickets.claim_launch(job, order)
        if not claimed or not tickets.claim_start(job, order.attempt, mine):
            return {"has": False}
        _move_in(stage, job)
        end = End.from_json(fields.mapping("end"), fields.where)
        tickets.record_end(job, order.attempt, end)
    staging.drop(stage)
    return {"has": found.verdict in (Verdict.DONE, Verdict.FREE)}


def _move_in(stage: str, job: JobPaths) -> None:
    """Move what is staged into a job's folder; what an earlier attempt left makes way."""
    for folder, target in ((stage, job.root), (f"{stage}/{XPM}", job.xpm)):
        if not os.path.isdir(folder):
            continue
        for name in os.listdir(folder):
            path = f"{target}/{name}"
            if folder == stage and name == XPM:
                continue
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            os.replace(f"{folder}/{name}", path)


def _job(request: Request, key: JobKey) -> JobPaths:
    return WorkspacePaths(request.fields.text("root")).job(key)


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


def _unbegun(attempt: Attempt) -> bool:
    return attempt.start is None and attempt.end is None


def _has_process(job: JobPaths, attempt: Attempt) -> bool:
    """Whether a supervisor has come as far as the job's lock, or is on its way to it.

    One may wait for long after it took the lock: for a folder that another job shares.
    """
    nonce = attempt.launch.nonce
    return not tickets.lock_is_free(job) or bool(processes.with_argument([nonce]))


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
