"""Noticing that processes of this machine end, whoever started them, without polling."""

from __future__ import annotations

import contextlib
import os
import selectors
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from xpm_engine.workspace import processes
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.identity import ProcessIdentity


@dataclass(frozen=True)
class _Pipe:
    """A pipe whose bytes only say that something happened."""

    descriptor: int
    heard: Callable[[], None]

    def empty(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.descriptor, 4096)
        self.heard()


class ProcessWatch:
    """Sleeps until a watched process ends, another thread wakes it, or time is up.

    On Linux by pidfd_open(2): no process is asked, and its pid can't be mistaken for a later
    one's. Elsewhere the caller's own polling stands in.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._descriptors: dict[Hashable, int] = {}
        self._woken = False
        self._pipes: dict[Hashable, int] = {}

    def listen(self, name: Hashable, pipe: int | None, heard: Callable[[], None]) -> None:
        """End the current `wait` as well when there are bytes in `pipe`, and call `heard`.

        It takes the place of the pipe that had that name; None for none.
        """
        known = self._pipes.get(name)
        if pipe == known:
            return
        if known is not None:
            self._selector.unregister(self._pipes.pop(name))
        if pipe is not None:
            self._selector.register(pipe, selectors.EVENT_READ, _Pipe(pipe, heard))
            self._pipes[name] = pipe

    def add(self, name: Hashable, process: ProcessIdentity) -> bool:
        """Watch a process; False if it can't be watched: it is gone, or not of this machine."""
        if not hasattr(os, "pidfd_open"):
            return False
        try:
            descriptor = os.pidfd_open(process.pid)
        except OSError:
            return False
        if processes.liveness(process) is not Liveness.ALIVE:
            os.close(descriptor)
            return False
        self.remove(name)
        self._descriptors[name] = descriptor
        self._selector.register(descriptor, selectors.EVENT_READ, name)
        return True

    def remove(self, name: Hashable) -> None:
        """Watch it no more."""
        descriptor = self._descriptors.pop(name, None)
        if descriptor is not None:
            self._selector.unregister(descriptor)
            os.close(descriptor)

    def wait(self, seconds: float | None) -> list[Hashable]:
        """The names whose process ended (watched no more now); none if woken or out of time."""
        ended: list[Hashable] = []
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, _Pipe):
                key.data.empty()
            elif key.data is None:
                # First the pipe, then the flag: the other way round a wake-up between the two
                # would be read away, with the flag still saying that it is on its way. One that
                # finds the flag up comes before the caller looks at what it was woken for.
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
                self._woken = False
            else:
                ended.append(key.data)
        for name in ended:
            self.remove(name)
        return ended

    def wake(self) -> None:
        """End the current or the next `wait`; from any thread or signal handler."""
        if self._woken:
            return
        self._woken = True
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"\0")

    def close(self) -> None:
        """Let go of all descriptors; who wakes it later writes to none of them."""
        self._woken = True
        for name in list(self._descriptors):
            self.remove(name)
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
