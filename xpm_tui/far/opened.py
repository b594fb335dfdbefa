"""Read-only copies of files of another machine, to be looked at in the pager of this one."""

from __future__ import annotations

import os
import shutil
import tempfile

from xpm_engine.errors import StorageError, UsageError
from xpm_engine.words import size as size_words
from xpm_engine.workspace.atomic import storage_error
from xpm_tui.far.place import FarPlace

MOST = 64 << 20
"""Bytes of a file that is brought to be looked at."""


class Opened:
    """The copies of one session, in a folder that nobody else can read; they go with it."""

    def __init__(self, place: FarPlace) -> None:
        self._place = place
        self._folder = ""

    def is_file(self, path: str) -> bool:
        """Whether something stands at a path there; raises RemoteError."""
        return self._stamp(self._there(path)) is not None

    def copy(self, path: str) -> str:
        """A copy of a file there, as it is now.

        `path` is that file's own, or that of what stands for it in the folder here: what is kept
        up to date there, as logs are, is that copy. Raises UsageError for what is too large,
        RemoteError, StorageError.
        """
        there = self._there(path)
        if there != path and os.path.isfile(path):
            return path
        name, host = os.path.basename(there), self._place.host
        stamp = self._stamp(there)
        if stamp is None:
            raise StorageError("the file is not there any more", where=f"{host}:{there}")
        if stamp[2] > MOST:
            raise UsageError(
                f"{name} has {size_words(stamp[2])}, too much to bring here: ! is a shell on {host}"
            )
        parts = self._place.link.connection().stream("read", path=there, length=MOST)
        data = b"".join(part.data for part in parts)
        try:
            self._folder = self._folder or tempfile.mkdtemp(prefix="xpm-tui-")
            # Two files of one name, or one that changes, are two copies.
            target = os.path.join(tempfile.mkdtemp(dir=self._folder), name)
            with open(os.open(target, os.O_WRONLY | os.O_CREAT, 0o400), "wb") as file:
                file.write(data)
        except OSError as error:
            raise storage_error(error, self._folder, "write a copy") from error
        return target

    def close(self) -> None:
        """Remove them."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    def _there(self, path: str) -> str:
        here = self._place.here.root
        return self._place.there(path) if path.startswith(f"{here}/") else path

    def _stamp(self, path: str) -> list[int] | None:
        asked = self._place.link.connection().ask("stat", paths=[path])
        stamps: list[list[int] | None] = asked["stamps"]
        return stamps[0]
