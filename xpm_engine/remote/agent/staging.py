"""Folders that are put together from another host, each by one sender, and take their place whole.

Every sender has a stage of its own, held by its agent for as long as that lives: what a dead one
left is gone on with by the next. Which stage a file was put into never decides anything: files are
written whole or by their checksum (`storing`), and the first whole folder takes the place.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from typing import Dict, Optional

from xpm_engine.errors import StorageError
from xpm_engine.remote.agent.serving import Answer, Request
from xpm_engine.workspace.atomic import make_folders, storage_error
from xpm_engine.workspace.layout import stage_folder, stage_lock, stages
from xpm_engine.workspace.tickets import hold

FORGOTTEN = 7 * 86400.0
"""Seconds after which what a dead sender left is removed, whatever it was meant for."""

_held: Dict[str, int] = {}
"""Stage -> the descriptor of its lock."""


def stage(request: Request) -> Answer:
    """Where `sender` may put the files of the folder `place` together; ``there``: it is whole.

    The same sender is given the same stage again, with what it has put there; a new one goes on
    with what a dead one left.
    """
    place, sender = request.fields.text("place"), request.fields.text("sender")
    if os.path.isdir(place):
        clear(place)
        return {"there": True}
    own = stage_folder(place, sender)
    make_folders(os.path.dirname(place))
    keep(own)
    if not os.path.isdir(own):
        _go_on_with_a_dead_ones(place, own)
    make_folders(own)
    return {"there": False, "stage": own}


def settle(request: Request) -> Answer:
    """Let a folder that is complete take its place; one that is there already stays."""
    source, target = request.fields.text("stage"), request.fields.text("place")
    if not os.path.isdir(target):
        try:
            make_folders(os.path.dirname(target))
            os.rename(source, target)
        except OSError as error:
            if not os.path.isdir(target):
                raise storage_error(error, target, "put this folder in its place") from error
    drop(source)
    clear(target)
    return {"there": True}


def keep(own: str) -> None:
    """Hold a stage from now on, if nobody else does: an earlier agent of its sender may."""
    if own in _held:
        return
    held = hold(stage_lock(own), patience=0.0)
    if held is not None:
        os.utime(held)
        _held[own] = held


def check(own: str) -> None:
    """Raises StorageError for a stage that is not there any more: ask for one again."""
    keep(own)
    if not os.path.isdir(own):
        raise StorageError("somebody else has gone on with what was put here", where=own)


def drop(own: str) -> None:
    """Remove a stage that is not needed any more."""
    shutil.rmtree(own, ignore_errors=True)
    with suppress(FileNotFoundError):
        os.unlink(stage_lock(own))
    held = _held.pop(own, None)
    if held is not None:
        os.close(held)


def clear(place: str) -> None:
    """Remove what dead senders left of a folder that is whole, and anything that is forgotten."""
    for other in stages(os.path.dirname(place)):
        if other.startswith(place + ".") or _age(other) > FORGOTTEN:
            _remove_if_dead(other)


def _go_on_with_a_dead_ones(place: str, own: str) -> None:
    for other in stages(os.path.dirname(place)):
        if other == own or not other.startswith(place + ".") or not os.path.isdir(other):
            continue
        held = hold(stage_lock(other), patience=0.0)
        if held is None:
            continue
        try:
            os.rename(other, own)
            os.unlink(stage_lock(other))
            return
        except OSError:
            continue
        finally:
            os.close(held)


def _remove_if_dead(other: str) -> None:
    held: Optional[int] = None if other in _held else hold(stage_lock(other), patience=0.0)
    if held is not None:
        shutil.rmtree(other, ignore_errors=True)
        with suppress(FileNotFoundError):
            os.unlink(stage_lock(other))
        os.close(held)


def _age(other: str) -> float:
    with suppress(OSError):
        return time.time() - os.stat(stage_lock(other)).st_mtime
    return 0.0
