"""What lies in a job's folder: names and sizes, links never followed, never without an end."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum

from xpm_engine.workspace.elsewhere import still_there
from xpm_engine.workspace.layout import XPM, JobPaths
from xpm_engine.workspace.records.mirror import Fetched

MAX_ENTRIES = 2_000
"""A folder with a million files must not fill the memory; the rest is said to be there."""

MAX_DEPTH = 20


class EntryKind(Enum):
    """What an entry of a folder is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"
    """A socket, a pipe, a device."""


@dataclass(frozen=True)
class Entry:
    """One entry of a folder."""

    path: str
    """Relative to the folder that was listed."""
    depth: int
    """0 for what lies in it directly."""
    kind: EntryKind
    size: int | None = None
    """Bytes of a file; None where there is none to tell."""
    modified: float | None = None
    """Seconds since 1970."""
    target: str = ""
    """Where a link points."""
    problem: str = ""
    """Why it could not be looked at."""
    away: str = ""
    """The host that it is on alone; empty where it is here."""

    @property
    def name(self) -> str:
        return os.path.basename(self.path)

    @property
    def ours(self) -> bool:
        """Whether the engine wrote it, not the task."""
        return self.path.split("/", 1)[0] == XPM


@dataclass(frozen=True)
class Listing:
    """A folder with all that is below it, as far as it was read."""

    entries: tuple[Entry, ...]
    complete: bool
    """Whether nothing was left out."""
    problem: str = ""
    """Why the folder itself could not be read."""
    there: Fetched | None = None
    """What is on another host alone, where that was noted."""

    @property
    def size(self) -> int:
        """Bytes of the files that were seen here."""
        return sum(entry.size or 0 for entry in self.here)

    @property
    def here(self) -> tuple[Entry, ...]:
        """The entries that are not on another host alone."""
        return tuple(entry for entry in self.entries if not entry.away)


def list_folder(root: str, *, limit: int = MAX_ENTRIES) -> Listing:
    """List a folder, each folder followed by what it holds, what the engine wrote last."""
    found: list[Entry] = []
    try:
        names = sorted(os.listdir(root), key=lambda name: (name == XPM, name))
    except OSError as error:
        return Listing((), complete=False, problem=error.strerror or str(error))
    pending = [(name, 0) for name in reversed(names)]
    while pending and len(found) < limit:
        path, depth = pending.pop()
        entry = _look_at(root, path, depth)
        found.append(entry)
        if entry.kind is EntryKind.FOLDER and depth < MAX_DEPTH:
            below = _names(f"{root}/{path}")
            pending.extend((f"{path}/{name}", depth + 1) for name in reversed(below))
    return Listing(tuple(found), complete=not pending)


def list_job(root: str) -> Listing:
    """List a job's folder, with the files of its result that are on another host alone.

    Those stand among the others, and so do the folders that they are in.
    """
    listing, there = list_folder(root), still_there(JobPaths(root))
    if there is None or listing.problem:
        return listing
    found = {entry.path: entry for entry in listing.entries}
    for file in there.there:
        parts = file.path.split("/")
        for depth in range(len(parts) - 1):
            path = "/".join(parts[: depth + 1])
            found.setdefault(path, Entry(path, depth, EntryKind.FOLDER, away=there.of))
        found[file.path] = Entry(
            file.path, len(parts) - 1, EntryKind.FILE, file.size, away=there.of
        )
    entries = sorted(found.values(), key=lambda entry: (entry.ours, entry.path.split("/")))
    shown = tuple(entries[:MAX_ENTRIES])
    return Listing(shown, listing.complete and len(shown) == len(entries), there=there)


def _names(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def _look_at(root: str, path: str, depth: int) -> Entry:
    full = f"{root}/{path}"
    try:
        status = os.lstat(full)
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(full)
            return Entry(path, depth, EntryKind.LINK, None, status.st_mtime, target)
    except OSError as error:
        return Entry(path, depth, EntryKind.OTHER, problem=error.strerror or str(error))
    if stat.S_ISDIR(status.st_mode):
        return Entry(path, depth, EntryKind.FOLDER, None, status.st_mtime)
    if stat.S_ISREG(status.st_mode):
        return Entry(path, depth, EntryKind.FILE, status.st_size, status.st_mtime)
    return Entry(path, depth, EntryKind.OTHER, None, status.st_mtime)
