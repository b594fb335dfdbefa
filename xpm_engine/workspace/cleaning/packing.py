"""A packed copy of a log beside it, which every reader of ours reads in its place."""

from __future__ import annotations

import gzip
import os
import secrets
import shutil
from contextlib import suppress

from xpm_engine.workspace.atomic import storage_error
from xpm_engine.workspace.layout import PACKED

LEVEL = 6
"""Of gzip: beyond it logs take twice the time, and hardly less room."""


def pack(path: str) -> None:
    """Write ``path.gz``, with the mode and times of the log; raises StorageError.

    Nothing of the log itself is changed. Where a packed copy stood, it is replaced.
    """
    target = path + PACKED
    aside = f"{target}.{secrets.token_hex(4)}.tmp"
    try:
        with open(path, "rb") as log, open(aside, "xb") as raw:
            with gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as packed:
                shutil.copyfileobj(log, packed, 1 << 20)
            raw.flush()
            os.fsync(raw.fileno())
        shutil.copystat(path, aside, follow_symlinks=False)
        os.replace(aside, target)
    except OSError as error:
        with suppress(OSError):
            os.unlink(aside)
        raise storage_error(error, target, "write this file") from error


def unpacked_again(path: str) -> None:
    """The log is in its place: its packed copy goes, and what a crash left of one."""
    folder, name = os.path.split(path + PACKED)
    with suppress(OSError):
        for entry in os.listdir(folder):
            if entry == name or (entry.startswith(f"{name}.") and entry.endswith(".tmp")):
                with suppress(FileNotFoundError):
                    os.unlink(f"{folder}/{entry}")
