"""Reading a log's bytes, and noticing what became of the file since the last look."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from xpm_engine.workspace.layout import PACKED

MARK_BYTES = 64
"""How much of the end is remembered, to see that a file was written anew and not only longer."""


@dataclass(frozen=True)
class Bounds:
    """What is read in one piece."""

    page: int = 1 << 18
    """Bytes a page; counts are kept per page."""
    line: int = 1 << 14
    """Bytes shown of one line."""


class LogState(Enum):
    """Whether there is something to read."""

    UNKNOWN = "not looked at yet"
    READABLE = "readable"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


class LogEvent(Enum):
    """What happened to a file between two looks; the value is what a user is told."""

    APPEARED = "the file appeared"
    GREW = "new lines"
    TRUNCATED = "the file was truncated; read again from its start"
    ROTATED = "the file was replaced by another; this is the new one"
    VANISHED = "the file was removed; what was read stays readable here"
    FAILED = "the file can no longer be read"


class Source:
    """An open regular file, closed when its last user lets go of it.

    A slice of work that still runs in a thread keeps it open: were it closed by hand, the
    thread could read from whatever file got the same descriptor.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        self.origin = _identity(os.fstat(descriptor))
        """Which file this is."""
        self._fd = _unpacked(descriptor) if path.suffix == PACKED else descriptor

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            os.close(self._fd)

    def stat(self) -> os.stat_result:
        """What the system says about the open file."""
        return os.fstat(self._fd)

    def read(self, start: int, end: int) -> bytes:
        """Bytes ``start`` to ``end``, fewer where the file ends earlier.

        Raises OSError.
        """
        data = os.pread(self._fd, max(end - start, 0), start)
        if len(data) == end - start or not data:
            return data
        pieces = [data]
        at = start + len(data)
        while at < end and (data := os.pread(self._fd, end - at, at)):
            pieces.append(data)
            at += len(data)
        return b"".join(pieces)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _unpacked(descriptor: int) -> int:
    """A nameless file with what a packed log holds; closes the log. Raises OSError."""
    with open(descriptor, "rb") as raw, tempfile.TemporaryFile() as plain:
        try:
            with gzip.GzipFile(fileobj=raw) as packed:
                shutil.copyfileobj(packed, plain, 1 << 20)
        except (EOFError, zlib.error) as error:
            raise OSError(errno.EIO, "the packed log is damaged") from error
        plain.flush()
        return os.dup(plain.fileno())


def standing(path: Path) -> tuple[Path, os.stat_result]:
    """The log, or the packed copy that stands in its place; raises OSError."""
    try:
        return path, path.stat()
    except FileNotFoundError:
        packed = path.with_name(path.name + PACKED)
        with suppress(OSError):
            return packed, packed.stat()
        raise


@dataclass(frozen=True)
class Known:
    """What the last look left behind."""

    source: Source | None = None
    size: int = 0
    mark: bytes = b""
    """The last bytes before ``size``."""


@dataclass(frozen=True)
class Sighting:
    """What one look at the path found."""

    state: LogState
    words: str = ""
    """Why there is nothing to read; empty when readable."""
    event: LogEvent | None = None
    known: Known = Known()
    fresh: bool = False
    """Nothing that was counted before holds any longer."""


def look_at(path: Path, known: Known) -> Sighting:
    """Look at the path again: absent, unreadable, grown, truncated or replaced; never raises."""
    try:
        path, seen = standing(path)
        if not stat.S_ISREG(seen.st_mode):
            return _unreadable(known, f"{path} is not a regular file")
        source = known.source
        if source is None or source.origin != _identity(seen):
            event = LogEvent.APPEARED if source is None else LogEvent.ROTATED
            return _fresh(Source(path), event)
        size = source.stat().st_size
        if size == known.size:
            return Sighting(LogState.READABLE, known=known)
        if size < known.size or not _ends_with(source, known):
            return _fresh(source, LogEvent.TRUNCATED)
        mark = source.read(max(size - MARK_BYTES, 0), size)
        return Sighting(LogState.READABLE, event=LogEvent.GREW, known=Known(source, size, mark))
    except FileNotFoundError:
        gone = LogEvent.VANISHED if known.source is not None else None
        return Sighting(LogState.ABSENT, f"{path} does not exist", gone, known)
    except OSError as error:
        return _unreadable(known, f"{path} cannot be read: {error.strerror or error}")


def _fresh(source: Source, event: LogEvent) -> Sighting:
    size = source.stat().st_size
    mark = source.read(max(size - MARK_BYTES, 0), size)
    return Sighting(LogState.READABLE, event=event, known=Known(source, size, mark), fresh=True)


def _ends_with(source: Source, known: Known) -> bool:
    return source.read(known.size - len(known.mark), known.size) == known.mark


def _unreadable(known: Known, words: str) -> Sighting:
    event = LogEvent.FAILED if known.source is not None else None
    return Sighting(LogState.UNREADABLE, words, event, known)


Read = Callable[[int, int], bytes]
"""Bytes from a start to an end, fewer at the end of the file."""
