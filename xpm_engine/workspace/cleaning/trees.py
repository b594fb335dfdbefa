"""Deleting folders without following a link."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from xpm_engine.workspace.atomic import storage_error


def delete_tree(path: str) -> None:
    """Delete a folder and all in it, read-only folders too; nothing if it is absent.

    Where a link stands in its place, the link goes. Raises StorageError.
    """
    pending = [path]
    folders: list[str] = []
    try:
        if os.path.islink(path):
            os.unlink(path)
            return
        while pending:
            folder = pending.pop()
            folders.append(folder)
            pending.extend(_delete_files(folder))
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


def _delete_files(folder: str) -> list[str]:
    """Delete what is no folder in `folder`, and return the folders in it."""
    mode = os.lstat(folder).st_mode
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
