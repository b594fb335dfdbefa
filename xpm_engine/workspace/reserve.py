"""Room on the disk that is kept for the day when it is full.

A clean writes its journal before it touches anything, and a full disk is when people clean. So a
file of random bytes stands in ``.xpm/``: a clean that finds no room removes it, and writes its
journal where that was. Plans make it, and what frees something makes it again.
"""

from __future__ import annotations

import os
from contextlib import suppress

from xpm_engine.errors import StorageError
from xpm_engine.workspace.atomic import make_folders, write_atomic
from xpm_engine.workspace.layout import WorkspacePaths

ROOM = 1 << 20
"""Bytes: the journal of some 3,000 jobs."""

PLENTY = 64 * ROOM
"""Bytes that are free on a disk from which it is taken: of the last ones jobs have more use."""


def keep_room(workspace: WorkspacePaths) -> None:
    """Make the file unless it is there; where there is little room, or no right, do nothing."""
    if os.path.lexists(workspace.reserve) or os.path.islink(workspace.xpm):
        return
    if _room(workspace.root) < PLENTY:
        return
    with suppress(StorageError):
        make_folders(workspace.xpm)
        # What a disk can press together, or need not store at all, keeps no room.
        write_atomic(workspace.reserve, os.urandom(ROOM))


def _room(path: str) -> int:
    """Bytes that the user may still write there."""
    try:
        status = os.statvfs(path)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


def free_room(workspace: WorkspacePaths) -> bool:
    """Remove the file; whether that made room."""
    try:
        os.unlink(workspace.reserve)
    except OSError:
        return False
    return True
