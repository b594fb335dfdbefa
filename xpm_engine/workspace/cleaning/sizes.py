"""What folders take on the disk."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import replace

from xpm_engine.workspace.cleaning.piece_places import place_of
from xpm_engine.workspace.cleaning.plan import RemovalPlan
from xpm_engine.workspace.layout import WorkspacePaths

BLOCK = 512
"""The unit of ``st_blocks`` (stat(2)), whatever the file system's own blocks are."""

Inode = tuple[int, int]


def measure(workspace: WorkspacePaths, plan: RemovalPlan) -> RemovalPlan:
    """The plan with the size of every row that has none: this reads every folder in it.

    A file with several hard links counts once, in the first row that has one.
    """
    seen: set[Inode] = set()
    rows = tuple(
        row
        if row.size is not None
        else replace(row, size=folder_size(workspace.job(row.key).root, seen))
        for row in plan.rows
    )
    pieces = tuple(
        item
        if item.size is not None
        else replace(item, size=folder_size(place_of(workspace, item), seen))
        for item in plan.pieces
    )
    return replace(plan, rows=rows, pieces=pieces)


def folder_size(path: str, seen: set[Inode]) -> int:
    """Bytes on the disk of a folder and all in it, as ``du`` counts them; of a file, its own.

    Links are not followed, and what is mounted in it is not counted.

    `seen` holds the files with several hard links that were counted, and is added to. What may
    not be read, or goes away meanwhile, counts nothing.
    """
    total, device = 0, -1
    folders = [path]
    with suppress(OSError):
        status = os.lstat(path)
        if not stat.S_ISDIR(status.st_mode):
            return status.st_blocks * BLOCK if stat.S_ISREG(status.st_mode) else 0
        total += status.st_blocks * BLOCK
        device = status.st_dev
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_dev != device:
                        continue
                    if stat.S_ISDIR(status.st_mode):
                        folders.append(entry.path)
                    elif status.st_nlink > 1:
                        inode = (status.st_dev, status.st_ino)
                        if inode in seen:
                            continue
                        seen.add(inode)
                    total += status.st_blocks * BLOCK
    return total
