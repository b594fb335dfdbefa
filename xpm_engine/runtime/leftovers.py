"""What an earlier attempt left in the job's folder: moved aside before the next one starts."""

from __future__ import annotations

import os

from xpm_engine.workspace.atomic import make_folders, storage_error
from xpm_engine.workspace.layout import PACKED, XPM, JobPaths, link_to_log


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
        for link in job.log_links:
            if os.path.islink(link):
                os.unlink(link)
            if _leads_to_packed_log(link + PACKED):
                os.unlink(link + PACKED)
        names = [] if resumable else [name for name in os.listdir(job.root) if name != XPM]
        for name in names:
            make_folders(target)
            os.rename(f"{job.root}/{name}", f"{target}/{name}")
            moved = True
    except OSError as error:
        raise storage_error(error, job.root, "move aside what the last attempt left") from error
    return moved


def _leads_to_packed_log(link: str) -> bool:
    """Whether it is a link of ours, and no file that the task called like that."""
    return os.path.islink(link) and os.readlink(link).startswith(link_to_log(""))
