"""Stamps: whether a file or folder may be different from when it was read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

from xpm_engine.workspace.atomic import TEMPORARY
from xpm_engine.workspace.layout import list_folders

YOUNG = 2.0
"""Seconds before a stamp is trusted: the clock of a file system may be that coarse."""

SKEW = 60.0
"""Seconds that another machine's clock may be ahead; later stamps are wrong, but still stamps."""

FRESH = 60.0
"""Seconds in which something may still be about to come into a folder that was made."""

Stamp: TypeAlias = tuple[int, ...] | None
"""Inode and time of what was read; None for one that tells nothing, and equals no other."""

_TIME = (1 << 64) - 1

NAMES: tuple[str, ...] = ()

NO_NAMES: Mapping[str, str] = {}


class Stamps:
    """Takes stamps, and lists folders again only when theirs is another."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._listed: dict[str, tuple[Stamp, tuple[str, ...]]] = {}

    def of(self, *paths: str) -> Stamp:
        """One stamp of several files or folders; those that are absent count as such."""
        parts: list[int] = []
        for path in paths:
            try:
                found = os.lstat(path)
            except OSError:
                parts.append(0)
                continue
            if -SKEW < self._clock() - found.st_mtime < YOUNG:
                return None
            parts += (found.st_ino, found.st_mtime_ns, found.st_size)
        return tuple(parts)

    def of_job(self, xpm: str) -> int | None:
        """Inode and time of a job's ``.xpm/`` in one number: a workspace has very many of these."""
        try:
            found = os.lstat(xpm)
        except OSError:
            return 0
        if -SKEW < self._clock() - found.st_mtime < YOUNG:
            return None
        return found.st_ino << 64 | (found.st_mtime_ns & _TIME)

    def is_fresh(self, path: str) -> bool:
        """Whether this is there, and was made or changed lately."""
        try:
            return self._clock() - os.lstat(path).st_mtime < FRESH
        except OSError:
            return False

    def folders_in(self, path: str, known_as: Mapping[str, str] = NO_NAMES) -> tuple[str, ...]:
        """The names of the folders in a folder: the same tuple for as long as nothing changed.

        A name that is in `known_as` is told as that object, so that it is in memory once. Raises
        OSError where it may not be listed; an absent one is empty.
        """
        stamp = self.of(path)
        known = self._listed.get(path)
        if known is not None and stamp is not None and known[0] == stamp:
            return known[1]
        listed = sorted(list_folders(path))
        names = tuple([known_as.get(name, name) for name in listed] if known_as else listed)
        if known is not None and known[1] == names:
            names = known[1]
        self._listed[path] = (stamp, names)
        return names

    def files_in(self, path: str) -> frozenset[str]:
        """The names in a folder, without those that are about to be others; empty without it."""
        try:
            return frozenset(name for name in os.listdir(path) if not name.endswith(TEMPORARY))
        except OSError:
            return frozenset()

    def forget(self, path: str) -> None:
        """A folder is gone."""
        self._listed.pop(path, None)

    def clear(self) -> None:
        """What was listed last is not to be believed."""
        self._listed.clear()
