"""What changes on this host, told by inotify(7) through ctypes; nothing where there is none.

One descriptor serves all requests of an agent. A watch tells whom it was made for, no more: the
one who is told looks for himself, so that a lost or merged event costs time and never truth.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from contextlib import suppress
from typing import Callable, Dict, List, Optional, Tuple

MODIFY, MOVED_FROM, MOVED_TO = 0x2, 0x40, 0x80
CREATE, DELETE, DELETE_SELF, MOVE_SELF = 0x100, 0x200, 0x400, 0x800
OVERFLOW, IGNORED = 0x4000, 0x8000
ONLY_FOLDERS, ALSO, ONCE = 0x1000000, 0x20000000, 0x80000000

FOLDER = MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF | ONLY_FOLDERS
"""What changes the entries of a folder; writing to a file in it does not."""

WRITTEN = MODIFY | ONCE
"""The next write to a file: once, so that a busy log costs one event until it is asked again."""

_EVENT = struct.Struct("iIII")
_CLOSE_ON_EXEC, _NON_BLOCKING = 0o2000000, 0o4000

Heard = Callable[[str], None]
"""Is told the name of the entry that changed; empty for the watched thing itself."""


class Notifier:
    """The watches of one agent."""

    def __init__(self) -> None:
        self.descriptor: Optional[int] = None
        """Readable when something changed; None where nothing can be watched."""
        self.trouble = errno.ENOSYS
        """Why the last thing that was asked for can't be had: an errno."""
        self._library = _load()
        self._heard: Dict[int, Dict[int, Heard]] = {}
        self._owners = 0
        if self._library is not None:
            descriptor = self._library.inotify_init1(_CLOSE_ON_EXEC | _NON_BLOCKING)
            self.trouble = ctypes.get_errno()
            self.descriptor = descriptor if descriptor >= 0 else None

    @staticmethod
    def possible() -> bool:
        """Whether this system has inotify."""
        return _load() is not None

    def add(self, path: str, mask: int, heard: Heard) -> "Optional[Watched]":
        """Be told of changes; None if that can't be had: absent, out of watches, unsupported."""
        if self._library is None or self.descriptor is None:
            return None
        # Watches of one file are one watch: its mask is that of both.
        flags = mask if mask & ONCE else mask | ALSO
        number = self._library.inotify_add_watch(self.descriptor, os.fsencode(path), flags)
        if number < 0:
            self.trouble = ctypes.get_errno()
            return None
        self._owners += 1
        self._heard.setdefault(number, {})[self._owners] = heard
        return number, self._owners

    def remove(self, watched: "Watched") -> None:
        """Be told no more."""
        number, owner = watched
        owners = self._heard.get(number)
        if owners is None or owners.pop(owner, None) is None or owners:
            return
        del self._heard[number]
        if self._library is not None and self.descriptor is not None:
            self._library.inotify_rm_watch(self.descriptor, number)

    def read(self) -> None:
        """Tell everyone whose watch has something to tell."""
        if self.descriptor is None:
            return
        with suppress(BlockingIOError):
            data = os.read(self.descriptor, 1 << 16)
            for number, mask, name in _events(data):
                self._tell(number, mask, name)

    def close(self) -> None:
        """Watch nothing any more."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def _tell(self, number: int, mask: int, name: str) -> None:
        if mask & OVERFLOW:
            told: List[Dict[int, Heard]] = list(self._heard.values())
        else:
            told = [self._heard.get(number, {})]
        if mask & IGNORED:
            self._heard.pop(number, None)
        for owners in told:
            for heard in list(owners.values()):
                heard(name)


Watched = Tuple[int, int]
"""A watch, and whose."""


def _events(data: bytes) -> "List[Tuple[int, int, str]]":
    found: List[Tuple[int, int, str]] = []
    at = 0
    while at + _EVENT.size <= len(data):
        number, mask, _, length = _EVENT.unpack_from(data, at)
        at += _EVENT.size
        name = data[at : at + length].rstrip(b"\0")
        at += length
        found.append((number, mask, os.fsdecode(name)))
    return found


def _load() -> "Optional[ctypes.CDLL]":
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None, use_errno=True)
        library.inotify_init1.argtypes = [ctypes.c_int]
        library.inotify_add_watch.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32]
        library.inotify_rm_watch.argtypes = [ctypes.c_int, ctypes.c_int]
        return library
    return None
