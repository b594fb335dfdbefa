"""Code that was shipped here and that nothing needs any more.

A folder of code is in use by the agents that hold it (flock), on this machine; and, on whichever
machine, by jobs that were ordered while it was in use, until they have ended: whoever gives an
order marks what the plan has here by its time. So what is as old as that, and older than every
order that goes on, goes; whoever still needs it ships it again.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager, suppress
from typing import Any, Dict, Generator, Iterator, List, Optional, Tuple

from xpm_engine.errors import UnreadableError
from xpm_engine.remote.agent import staging
from xpm_engine.remote.agent.serving import Answer, Request
from xpm_engine.remote.frames import Message
from xpm_engine.workspace import tickets
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, list_folders, stage_folder, stages

UNUSED = 14 * 86400.0
"""Seconds after which what nobody uses is removed."""

MARGIN = 3600.0
"""Seconds by which the clocks of a disk and of its machines may differ."""

SLICE = 200
"""Jobs that are looked at before others are answered."""

_held: Dict[str, int] = {}
"""Folder of code -> its descriptor, locked for as long as this agent lives."""


def use(place: str) -> bool:
    """Mark code as used now, and keep it while this agent lives; False if it is not here."""
    try:
        if place not in _held:
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
            with suppress(OSError):
                # Where nothing can be locked its time alone keeps it.
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            _held[place] = descriptor
        os.utime(place)
        there = os.path.samestat(os.fstat(_held[place]), os.stat(place))
    except OSError:
        there = False
    if not there and place in _held:
        os.close(_held.pop(place))
    return there


def use_all(request: Request) -> Answer:
    """`use` for each of `places`; answers ``used``."""
    return {"used": [use(place) for place in request.fields.texts("places")]}


def told(request: Request) -> "Iterator[Optional[Message]]":
    """Each folder of code in the workspace `root`: ``code``, with why it must stay, if it must."""
    workspace = WorkspacePaths(request.fields.text("root"))
    clock, found = time.time(), shipped(workspace)
    oldest = yield from _oldest_order(workspace)
    rows: List[Dict[str, Any]] = []
    for place, used in found:
        yield None
        row = {"place": place, "unused": clock - used, "size": _size(place)}
        rows.append({**row, "stays": _why_stays(place, used, oldest)})
    yield Message({"code": rows})


def sweep(request: Request) -> "Iterator[Optional[Message]]":
    """Remove the code that nothing in the workspace `root` needs; tells ``removed``: which.

    That is, what was not used for so many seconds (`unused`, 14 days where nothing is said).
    """
    workspace = WorkspacePaths(request.fields.text("root"))
    said = request.fields.optional_integer("unused")
    least = UNUSED if said is None else said
    found = [(place, used) for place, used in shipped(workspace) if time.time() - used > least]
    if not found:
        yield Message({"removed": []})
        return
    oldest = yield from _oldest_order(workspace)
    removed = [place for place, used in found if used + MARGIN < oldest and _remove(place)]
    yield Message({"removed": removed})


def _why_stays(place: str, used: float, oldest: float) -> str:
    """Why code can't go now; empty where it can."""
    with _alone(place) as alone:
        if not alone:
            return "a plan uses it"
    if used + MARGIN < oldest:
        return ""
    lately = used + MARGIN >= time.time()
    return "it was used within the last hour" if lately else "a job that goes on may use it"


def _size(place: str) -> int:
    """Bytes of its files."""
    total = 0
    for parent, _, names in os.walk(place):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def shipped(workspace: WorkspacePaths) -> "List[Tuple[str, float]]":
    """The folders of code that are whole, with when they were used last (seconds since 1970)."""
    unfinished = frozenset(stages(workspace.code))
    found: List[Tuple[str, float]] = []
    for name in list_folders(workspace.code):
        place = f"{workspace.code}/{name}"
        if place not in unfinished:
            with suppress(OSError):
                found.append((place, os.stat(place).st_mtime))
    return found


def _oldest_order(workspace: WorkspacePaths) -> "Generator[Optional[Message], None, float]":
    """When the oldest order was given that has no end yet; now where there is none."""
    oldest = time.time()
    for ordered in _orders(workspace):
        if ordered is None:
            yield None
        else:
            oldest = min(oldest, ordered)
    return oldest


def _orders(workspace: WorkspacePaths) -> "Iterator[Optional[float]]":
    """When the orders were given that have no end yet; None now and then."""
    seen = 0
    for task in list_folders(workspace.jobs):
        for identifier in list_folders(f"{workspace.jobs}/{task}"):
            seen += 1
            if not seen % SLICE:
                yield None
            job = workspace.job(JobKey(task, identifier))
            try:
                for number, kinds in tickets.ticket_names(job).items():
                    if "end" not in kinds:
                        yield os.stat(job.launch(number)).st_mtime
            except FileNotFoundError:
                continue
            except (OSError, UnreadableError):
                # It may run, and since whenever.
                yield 0.0


def _remove(place: str) -> bool:
    """Move it away, so that it is there whole or not at all, then remove it."""
    aside = stage_folder(place, "removed")
    with _alone(place) as alone:
        if not alone:
            return False
        try:
            staging.keep(aside)
            os.rename(place, aside)
        except OSError:
            return False
    staging.drop(aside)
    return True


@contextmanager
def _alone(place: str) -> "Generator[bool, None, None]":
    """Whether no agent holds it, and none does meanwhile; False where it is gone."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = True
    except OSError:
        alone = False
    try:
        yield alone
    finally:
        os.close(descriptor)
