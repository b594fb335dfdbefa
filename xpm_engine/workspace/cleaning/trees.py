"""Deleting folders without following a link."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from xpm_engine.errors import StorageError
from xpm_engine.workspace.atomic import storage_error
from xpm_engine.workspace.cleaning.mounts import mounts_below


def delete_tree(path: str) -> None:
    """Delete a folder and all in it, read-only folders too; nothing if it is absent.

    Where a link stands in its place, the link goes. Where a file system is mounted in it, nothing
    is deleted. Raises StorageError.
    """
    refuse_mounts(path)
    pending = [path]
    folders: list[str] = []
    try:
        if os.path.islink(path):
            os.unlink(path)
            return
        device = os.lstat(path).st_dev
        while pending:
            folder = pending.pop()
            folders.append(folder)
            pending.extend(_delete_files(folder, device))
        for folder in reversed(folders):
            os.rmdir(folder)
    except FileNotFoundError:
        if os.path.lexists(path):
            raise
    except OSError as error:
        raise storage_error(error, error.filename or path, "delete this") from error


def remove_empty(path: str) -> None:
    """Remove a folder of folders as far as they are empty."""
    if os.path.islink(path):
        return
    with suppress(OSError):
        with os.scandir(path) as entries:
            inner = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        for folder in inner:
            with suppress(OSError):
                os.rmdir(folder)
        os.rmdir(path)


def refuse_mounts(path: str) -> None:
    """Raise StorageError where a file system is mounted in the folder at `path`."""
    for place in mounts_below(path):
        _refuse(place)


def _refuse(place: str) -> None:
    raise StorageError(
        "a file system is mounted here, and deleting the folder would empty it",
        where=place,
        hint=f"umount {place}, then try again",
    )


def _delete_files(folder: str, device: int) -> list[str]:
    """Delete what is no folder in `folder`, and return the folders in it."""
    status = os.lstat(folder)
    if status.st_dev != device:
        _refuse(folder)
    mode = status.st_mode
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        os.chmod(folder, mode | stat.S_IRWXU)
    inner: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                inner.append(entry.path)
            else:
                os.unlink(entry.path)
    return inner
