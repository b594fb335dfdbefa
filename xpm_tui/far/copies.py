"""The folders here that stand for workspaces of other machines: where they are, and for how long.

Each holds what was seen of one workspace, and a file that says of which.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress

from xpm_engine.workspace.layout import list_folders
from xpm_engine.workspace.user_folders import users_caches

ABOUT = "place.json"
"""Says of which workspace a folder is; written whenever that is opened."""

KEPT = 90 * 86400.0
"""Seconds after it was opened last until a folder is removed, as an index is."""

_NAME = re.compile("[0-9a-f]{24}")


def copies_folder() -> str:
    """Where they are: in the user's cache, outside of every workspace."""
    return f"{users_caches('xpm-tui')}/far"


def is_copy(path: str) -> bool:
    """Whether a folder stands for a workspace of another machine."""
    return os.path.lexists(f"{path}/{ABOUT}") and os.path.dirname(path) == copies_folder()


def forget_old(folder: str, *, but: str = "") -> None:
    """Remove those in `folder` that nobody opened for long, but the one of that name."""
    with suppress(OSError):
        for name in list(list_folders(folder)):
            path = f"{folder}/{name}"
            if name != but and _NAME.fullmatch(name) and time.time() - _opened(path) > KEPT:
                shutil.rmtree(path, ignore_errors=True)


def _opened(path: str) -> float:
    """When it was opened last, in seconds since 1970; now, if that can't be told."""
    for found in (f"{path}/{ABOUT}", path):
        with suppress(OSError):
            return os.lstat(found).st_mtime
    return time.time()
