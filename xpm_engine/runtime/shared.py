"""Folders that jobs share by a partial identifier: one running job at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager

from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import make_folders
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
            # A cleaner may move the folder away while it is waited for: then it is made again.
            make_folders(os.path.dirname(path))
            while (descriptor := tickets.hold(path, patience=0.0)) is None:
                if not wait():
                    yield False
                    return
                make_folders(os.path.dirname(path))
            held.callback(os.close, descriptor)
        yield True
