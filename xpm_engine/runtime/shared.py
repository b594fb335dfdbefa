"""Folders that jobs share by a partial identifier: one running job at a time (STATE)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager

from xpm_engine.workspace.atomic import make_folders, storage_error
from xpm_engine.workspace.layout import WorkspacePaths


@contextmanager
def sharing(
    workspace: WorkspacePaths, names: tuple[str, ...], wait: Callable[[], bool]
) -> Generator[bool]:
    """Hold the locks of these shared folders, made if they are absent.

    `wait` is called between two tries while another job has one; it says whether to go on.
    Yields False if it said no. The locks are taken in one order by everybody, so that two jobs
    never wait for each other. Raises StorageError.
    """
    with ExitStack() as held:
        for name in sorted(names):
            path = workspace.shared_lock(name)
            make_folders(os.path.dirname(path))
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            except OSError as error:
                raise storage_error(error, path, "open this lock") from error
            held.callback(os.close, descriptor)
            while not _taken(descriptor):
                if not wait():
                    yield False
                    return
        yield True


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
