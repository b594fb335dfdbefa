"""Packed logs for other programs: a plain copy, which goes when the app ends; no Textual in it."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
import zlib
from dataclasses import dataclass
from functools import cache

from xpm_engine.errors import StorageError
from xpm_engine.workspace.layout import PACKED


@dataclass(frozen=True)
class Unpacking:
    """A packed log, and where its plain copy is to be."""

    packed: str
    plain: str

    def run(self) -> None:
        """Make the copy, which nobody may write; raises StorageError."""
        if os.path.exists(self.plain):
            os.unlink(self.plain)
        try:
            os.makedirs(os.path.dirname(self.plain), exist_ok=True)
            with gzip.open(self.packed) as packed, open(self.plain, "xb") as plain:
                shutil.copyfileobj(packed, plain, 1 << 20)
            os.chmod(self.plain, 0o400)
        except (OSError, EOFError, zlib.error) as error:
            words = getattr(error, "strerror", None) or "it is damaged"
            raise StorageError(f"can't unpack this log: {words}", where=self.packed) from error


def readable(path: str) -> tuple[str, Unpacking | None]:
    """The log itself, or what is to be unpacked before its copy can be read in its place."""
    packed = path + PACKED
    if os.path.isfile(path) or not os.path.isfile(packed):
        return path, None
    folder = hashlib.md5(path.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    unpacking = Unpacking(packed, os.path.join(_folder().name, folder, os.path.basename(path)))
    return unpacking.plain, unpacking


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Made when it is first needed, 0700; gone when the process ends."""
    return tempfile.TemporaryDirectory(prefix="xpm-logs-")
