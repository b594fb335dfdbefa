"""Signals as a supervisor takes them: a request to stop, and the end of a child."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from types import FrameType


class Signals:
    """SIGTERM and SIGINT as a request to stop, SIGCHLD as a wake-up, while it is entered."""

    def __init__(self) -> None:
        self.stop_asked = False
        self._read, self._write = os.pipe()
        self._former: dict[int, object] = {}

    def __enter__(self) -> Signals:
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._former[number] = signal.signal(number, self._ask)
        self._former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._wake)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.set_wakeup_fd(self._wakeup)
        for number, former in self._former.items():
            signal.signal(number, former)  # type: ignore[arg-type]
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> None:
        """Sleep until a signal arrives, `seconds` at most."""
        # Not select(2): a plan's modules may have opened more files than it can count.
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        with suppress(InterruptedError):
            poll.poll(max(0.0, seconds) * 1000)
        with suppress(BlockingIOError):
            os.read(self._read, 512)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.stop_asked = True

    def _wake(self, number: int, frame: FrameType | None) -> None:
        """Only there so that the signal is delivered: the wake-up descriptor does the rest."""


def signal_group(group: int, number: int) -> None:
    """Signal a process group, if it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def signal_each(processes: list[int], number: int) -> None:
    """Signal those of these processes that are still there."""
    for pid in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
