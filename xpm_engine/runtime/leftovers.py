"""What an earlier attempt left in the job's folder: moved aside before the next one starts."""

from __future__ import annotations

import os

from xpm_engine.workspace.atomic import make_folders, storage_error
from xpm_engine.workspace.layout import XPM, JobPaths


def move_aside(job: JobPaths, attempt: int, *, resumable: bool) -> bool:
    """Move all but ``.xpm/`` to ``.xpm/attempts/N-1/``; whether there was anything to move.

    A resumable task keeps its files. The links to the logs go: the new attempt makes its own.
    Raises StorageError.
    """
    if attempt == 1:
        return False
    target = job.leftovers(attempt - 1)
    moved = False
    try:
        for link in (job.stdout_link, job.stderr_link):
            if os.path.islink(link):
                os.unlink(link)
        names = [] if resumable else [name for name in os.listdir(job.root) if name != XPM]
        for name in names:
            make_folders(target)
            os.rename(f"{job.root}/{name}", f"{target}/{name}")
            moved = True
    except OSError as error:
        raise storage_error(error, job.root, "move aside what the last attempt left") from error
    return moved
