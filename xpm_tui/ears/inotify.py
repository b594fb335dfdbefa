"""Hearing of changes by inotify(7): one descriptor and one thread, however many folders there are.

Libraries take a descriptor and two threads for each folder, and a user has 128 of these descriptors
by default: two apps side by side would have had to do without.
"""

from __future__ import annotations

import errno
import os
import selectors
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Lock, Thread

from xpm_engine.remote.agent.notifier import FOLDER, Notifier, Watched
from xpm_engine.workspace.atomic import TEMPORARY

_NOT_THERE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP))
"""Why a folder is passed over: nothing can be heard of it, and others can."""

_LIMITS = {
    errno.ENOSPC: "inotify watch limit reached",
    errno.EMFILE: "inotify instance limit reached",
}
"""What these mean here: the disk is not full, and no file is open."""


class InotifyEars:
    """Watches folders, each by itself and not what is below it."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        """Raises OSError where no descriptor is left."""
        self._heard = heard
        self._notifier = Notifier()
        descriptor = self._notifier.descriptor
        if descriptor is None:
            raise _refused(self._notifier.trouble)
        self._watches: dict[str, tuple[int, Watched]] = {}
        self._using = Lock()
        self._end, self._ended = os.pipe()
        self._thread = Thread(target=self._listen, args=(descriptor,), name="ears", daemon=True)
        self._thread.start()

    @staticmethod
    def possible() -> bool:
        """Whether this system has inotify."""
        return Notifier.possible()

    def listen_at(self, folders: list[str]) -> list[str]:
        """Watch these folders and no others; returns those that were not watched before.

        A folder that is not there, or may not be looked into, is passed over. Raises OSError where
        the system refuses.
        """
        wanted = {path: inode for path in folders if (inode := _inode(path))}
        new: list[str] = []
        with self._using:
            for path, (inode, watch) in list(self._watches.items()):
                # A folder that was removed and made again has another inode, and no watch.
                if wanted.get(path) != inode:
                    del self._watches[path]
                    self._notifier.remove(watch)
            for path in wanted.keys() - self._watches.keys():
                made = self._notifier.add(path, FOLDER, partial(self._tell, path))
                if made is not None:
                    self._watches[path] = (wanted[path], made)
                    new.append(path)
                elif self._notifier.trouble not in _NOT_THERE:
                    raise _refused(self._notifier.trouble, path)
        return new

    def close(self) -> None:
        """Stop listening."""
        os.write(self._ended, b"\0")
        self._thread.join()
        for descriptor in (self._end, self._ended):
            os.close(descriptor)
        self._notifier.close()

    def _listen(self, descriptor: int) -> None:
        """In the thread, which sleeps until there is something to tell."""
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            selector.register(self._end, selectors.EVENT_READ)
            while not any(key.fd == self._end for key, _ in selector.select()):
                with self._using:
                    self._notifier.read()

    def _tell(self, folder: str, name: str) -> None:
        """An empty name stands for the folder itself, or for anything in it."""
        if not name.endswith(TEMPORARY):
            self._heard(f"{folder}/{name}" if name else folder)


def _refused(number: int, path: str | None = None) -> OSError:
    return OSError(number, _LIMITS.get(number) or os.strerror(number), path)


def _inode(path: str) -> int:
    """0 for what is not there."""
    with suppress(OSError):
        return os.stat(path).st_ino
    return 0
