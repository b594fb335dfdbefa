"""What is still coming: how an unfinished file is called, and a folder that is put together."""

from __future__ import annotations

import os
import re

STAGE = ".part"
"""How the name of a folder ends whose files are still coming, and that of an unfinished file."""

_PARTIAL = re.compile(r"\.([0-9]+|[0-9a-f]{16}|fetched|whole)\.part\Z")


def partial_file(path: str, digest: str) -> str:
    """What a file is called until all of it has come."""
    return f"{path}.{digest[:16]}{STAGE}"


def is_partial(path: str) -> bool:
    """Whether it is the name of a file that is still being written, or copied."""
    return bool(_PARTIAL.search(path))


def stage_folder(place: str, sender: str) -> str:
    """Where one sender puts a folder together; no two senders share one."""
    return f"{place}.{sender[:16]}{STAGE}"


def stage_lock(stage: str) -> str:
    """What is held while somebody may still put files into a stage."""
    return stage + ".lock"


def stages(folder: str) -> "list[str]":
    """The stages in a folder, with those of which only the lock is left."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    ends = (STAGE, stage_lock(STAGE))
    found = {name[: name.rindex(STAGE)] + STAGE for name in names if name.endswith(ends)}
    return [f"{folder}/{name}" for name in sorted(found)]
