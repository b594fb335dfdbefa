"""The files of the job on the screen, followed from the other machine into the folder here.

A log is taken from near its end: what is before stays there, and the first line here says so.
What has come is kept, and the next time only what was appended since is sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from xpm_engine.errors import UnreadableError, XpmError
from xpm_engine.remote.connection import Connection, Subscription
from xpm_engine.remote.frames import Message
from xpm_engine.workspace.atomic import dumps, make_folders, read_object, write_atomic
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_tui.far.place import FarPlace

NEAR_END = 4 << 20
"""Bytes of a log that are taken at first; the rest of a longer one stays where it is."""

_FROM = ".from"
"""Beside a log that was taken from near its end: where that is, and how long its first line is."""


@dataclass(frozen=True)
class Shown:
    """What is on the screen: a job, and which attempts its logs are wanted of."""

    key: JobKey
    attempts: tuple[int, ...]


class Details:
    """Follows the files of one job at a time."""

    def __init__(self, place: FarPlace, arrived: Callable[[JobKey], None]) -> None:
        """`arrived` is called, in a thread of the connection, when all that there was has come."""
        self._place = place
        self._arrived = arrived
        self._lock = Lock()
        self._shown: Shown | None = None
        self._subscription: Subscription | None = None
        self._connection: Connection | None = None

    @property
    def shown(self) -> Shown | None:
        """What is followed."""
        return self._shown

    def show(self, shown: Shown | None) -> None:
        """Follow this from now on, and nothing else."""
        with self._lock:
            if shown == self._shown:
                return
            self._shown = shown
            self._stop()

    def keep_up(self, connection: Connection) -> None:
        """Ask for what is shown, if this connection was not asked yet; raises XpmError."""
        with self._lock:
            if self._subscription is not None and self._connection is connection:
                return
            self._stop()
            shown = self._shown
            if shown is None:
                return
            here = self._place.here.job(shown.key)
            there = WorkspacePaths(self._place.root).job(shown.key)
            following = _Following(here, lambda: self._arrived(shown.key))
            files = following.ask_for(connection, there, shown.attempts)
            self._connection = connection
            self._subscription = connection.subscribe(
                "follow",
                following.heard,
                self._over,
                folder=there.xpm,
                files=files,
            )

    def _over(self, error: XpmError | None) -> None:
        """The connection ended: the next one is asked again."""
        self._subscription = None

    def _stop(self) -> None:
        if self._subscription is not None:
            with suppress(XpmError):
                self._subscription.stop()
        self._subscription = None
        self._connection = None


class _Following:
    """Puts what comes into the folder here; in the connection's thread."""

    def __init__(self, here: JobPaths, arrived: Callable[[], None]) -> None:
        self._here = here
        self._arrived = arrived
        self._starts: dict[str, int] = {}
        """Name of a tail -> bytes here minus bytes there, of the same place in it."""
        self._news = False

    def ask_for(
        self, connection: Connection, there: JobPaths, attempts: tuple[int, ...]
    ) -> list[tuple[str, str, int]]:
        """What to follow: name, how, and from which byte."""
        wholes = [there.params, there.summary, there.progress, there.pin]
        tails = [there.events, there.metrics]
        for attempt in attempts:
            wholes += [there.launch(attempt), there.start(attempt), there.end(attempt)]
            tails += [there.stdout(attempt), there.stderr(attempt)]
        names = [os.path.relpath(path, there.xpm) for path in tails]
        stamps = connection.ask("stat", paths=tails)["stamps"]
        files = [(os.path.relpath(path, there.xpm), "whole", 0) for path in wholes]
        for name, stamp in zip(names, stamps, strict=True):
            files.append((name, "tail", self._from(name, 0 if stamp is None else int(stamp[2]))))
            if stamp is not None:
                # An empty one is there all the same.
                self._append(name, f"{self._here.xpm}/{name}", Message({"at": int(stamp[2])}))
        return files

    def heard(self, message: Message) -> None:
        """A part has come."""
        name = message.body.get("name")
        if not isinstance(name, str):
            if self._news:
                self._news = False
                self._arrived()
            return
        self._news = True
        path = f"{self._here.xpm}/{name}"
        if message.body.get("gone"):
            with suppress(FileNotFoundError):
                os.unlink(path)
        elif name in self._starts:
            self._append(name, path, message)
        else:
            make_folders(os.path.dirname(path))
            write_atomic(path, message.data)

    def _append(self, name: str, path: str, message: Message) -> None:
        if message.body.get("reset"):
            # It was replaced or truncated there: what is here is of another log.
            self._starts[name] = 0
            for stale in (path, path + _FROM):
                with suppress(FileNotFoundError):
                    os.unlink(stale)
        make_folders(os.path.dirname(path))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(descriptor, message.data, int(message.body["at"]) + self._starts[name])
        finally:
            os.close(descriptor)

    def _from(self, name: str, size: int) -> int:
        """From which byte there a tail is asked for; what is here ends with that one."""
        path = f"{self._here.xpm}/{name}"
        here = _size(path)
        start, first = _beginning(path)
        there = start + here - first
        if here and there <= size:
            self._starts[name] = first - start
            return there
        start = max(0, size - NEAR_END)
        with suppress(FileNotFoundError):
            os.unlink(path)
        first = 0
        if start:
            line = f"… the {start:,} bytes before this line are on the other machine alone\n"
            first = len(line.encode())
            make_folders(os.path.dirname(path))
            write_atomic(path + _FROM, dumps({"v": 1, "start": start, "first": first}))
            write_atomic(path, line.encode())
        else:
            with suppress(FileNotFoundError):
                os.unlink(path + _FROM)
        self._starts[name] = first - start
        return start


def _beginning(path: str) -> tuple[int, int]:
    """Which byte there the log here begins with, and how long the line before it is."""
    try:
        found = read_object(path + _FROM)
    except (FileNotFoundError, UnreadableError):
        return 0, 0
    start, first = found.get("start"), found.get("first")
    return (start, first) if isinstance(start, int) and isinstance(first, int) else (0, 0)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return 0
