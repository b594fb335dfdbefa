"""Hearing of changes where there is no inotify: the one place that knows watchdog."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from xpm_engine.workspace.atomic import TEMPORARY

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver, ObservedWatch


class WatchdogEars:
    """Watches folders, each by itself and not what is below it; each takes a thread or two."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        from watchdog.events import (
            DirCreatedEvent,
            DirDeletedEvent,
            DirMovedEvent,
            FileCreatedEvent,
            FileDeletedEvent,
            FileMovedEvent,
            FileSystemEventHandler,
        )
        from watchdog.observers import Observer

        class Handler(FileSystemEventHandler):
            def on_any_event(self, event: FileSystemEvent) -> None:
                # An atomic replace arrives as a move onto the name that counts.
                for path in (event.dest_path, event.src_path):
                    name = path if isinstance(path, str) else path.decode(errors="replace")
                    if name and not name.endswith(TEMPORARY):
                        heard(name)

        # What it logs of an observer that ends while it is told something would be written to the
        # terminal, which somebody else has by then.
        logging.getLogger("watchdog").addHandler(logging.NullHandler())
        self._filter: list[type[FileSystemEvent]] = [
            DirCreatedEvent,
            DirDeletedEvent,
            DirMovedEvent,
            FileCreatedEvent,
            FileDeletedEvent,
            FileMovedEvent,
        ]
        self._handler = Handler()
        self._watches: dict[str, tuple[int, ObservedWatch]] = {}
        self._observer: BaseObserver = Observer()
        self._observer.start()

    def listen_at(self, folders: list[str]) -> list[str]:
        """Watch these folders and no others; returns those that were not watched before.

        A folder that is not there is passed over. Raises OSError where the system refuses.
        """
        wanted = {path: inode for path in folders if (inode := _inode(path))}
        for path, (inode, watch) in list(self._watches.items()):
            # A folder that was removed and made again has another inode, and no watch.
            if wanted.get(path) != inode:
                del self._watches[path]
                self._observer.unschedule(watch)
        new: list[str] = []
        for path in wanted.keys() - self._watches.keys():
            with suppress(FileNotFoundError, NotADirectoryError):
                watch = self._observer.schedule(self._handler, path, event_filter=self._filter)
                self._watches[path] = (wanted[path], watch)
                new.append(path)
        return new

    def close(self) -> None:
        """Stop listening."""
        self._observer.stop()
        self._observer.join()


def _inode(path: str) -> int:
    """0 for what is not there."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0
