"""The files that a dead attempt left in its job, moved to the trash and back without the job.

They need no ticket: the files of attempt N are set aside once, by the attempt after it, and
nothing touches them afterwards. In the trash they lie below its folder of jobs, so that whatever
is done to that is done to them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from xpm_engine.errors import StorageError
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import make_folders
from xpm_engine.workspace.cleaning.folders import FolderCheck, link_trouble
from xpm_engine.workspace.cleaning.trees import remove_empty
from xpm_engine.workspace.layout import (
    JobKey,
    JobPaths,
    TrashPaths,
    WorkspacePaths,
    is_identifier,
    is_task_folder,
    list_folders,
)
from xpm_engine.workspace.records.trash import Left, Leftover


def list_leftovers(job: JobPaths) -> tuple[int, ...]:
    """The attempts of a job that left files behind, oldest first."""
    if os.path.islink(job.attempts):
        return ()
    return tuple(sorted(int(name) for name in list_folders(job.attempts) if _is_number(name)))


def leftovers_in(trash: TrashPaths) -> Iterator[Leftover]:
    """What lies in a transaction, in no order; how much it takes is not told."""
    if os.path.islink(trash.jobs) or os.path.islink(trash.attempts):
        return
    for task in filter(is_task_folder, list(list_folders(trash.attempts))):
        for identifier in filter(is_identifier, list(list_folders(f"{trash.attempts}/{task}"))):
            key = JobKey(task, identifier)
            for name in filter(_is_number, list(list_folders(trash.leftovers_of(key)))):
                yield Leftover(key, int(name), None)


def move_leftovers(
    workspace: WorkspacePaths, trash: TrashPaths, items: Iterable[Leftover]
) -> tuple[tuple[Leftover, ...], tuple[Left, ...]]:
    """Move leftovers to the trash: what was moved, and what was left with why."""
    folders = FolderCheck(workspace)
    moved: list[Leftover] = []
    left: list[Left] = []
    for item in items:
        why = folders.trouble(item.key) or _move_out(workspace.job(item.key), trash, item)
        if why:
            left.append(Left(item.key, f"leftovers of attempt {item.attempt}: {why}"))
        else:
            moved.append(item)
    return tuple(moved), tuple(left)


def return_leftovers(
    workspace: WorkspacePaths, trash: TrashPaths
) -> tuple[tuple[Leftover, ...], tuple[Left, ...]]:
    """Move the leftovers of a transaction back: what was, and what stays with why."""
    returned: list[Leftover] = []
    kept: list[Left] = []
    for item in sorted(leftovers_in(trash)):
        why = _move_back(workspace.job(item.key), trash, item)
        if why:
            kept.append(Left(item.key, f"leftovers of attempt {item.attempt}: {why}"))
        else:
            returned.append(item)
    return tuple(returned), tuple(kept)


def remove_empty_attempts(trash: TrashPaths) -> None:
    """Remove the folders that held leftovers, as far as they are empty."""
    if os.path.islink(trash.jobs) or os.path.islink(trash.attempts):
        return
    for task in list(list_folders(trash.attempts)):
        remove_empty(f"{trash.attempts}/{task}")
    remove_empty(trash.attempts)


def _move_out(job: JobPaths, trash: TrashPaths, item: Leftover) -> str:
    """Move one to the trash; why it stays, or an empty text."""
    lock = None
    try:
        if item.attempt not in list_leftovers(job):
            return "they are gone"
        lock = tickets.hold(job.lock, patience=0.0)
        if lock is None:
            return "the job runs"
        make_folders(trash.leftovers_of(item.key))
        os.rename(job.leftovers(item.attempt), trash.leftover(item.key, item.attempt))
    except StorageError as error:
        return error.what
    except OSError as error:
        return f"can't be moved: {error.strerror or error}"
    finally:
        if lock is not None:
            os.close(lock)
    return ""


def _move_back(job: JobPaths, trash: TrashPaths, item: Leftover) -> str:
    """Move one back; why it stays in the trash, or an empty text."""
    if not os.path.isdir(job.xpm) or os.path.islink(job.root) or os.path.islink(job.xpm):
        return "the job's folder is gone"
    target = job.leftovers(item.attempt)
    if os.path.lexists(target):
        return "newer ones stand in their place"
    try:
        why = link_trouble(job.attempts)
        if not why:
            make_folders(job.attempts)
            os.rename(trash.leftover(item.key, item.attempt), target)
    except StorageError as error:
        return error.what
    except OSError as error:
        return f"can't be moved: {error.strerror or error}"
    return why


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and not name.startswith("0")
