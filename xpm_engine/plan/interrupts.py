"""SIGTERM to a plan: it stops as at Ctrl-C, and leaves its jobs running."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """Somebody sent SIGTERM: `xpm kill --plan`, a service manager, a cluster's scheduler."""


class Termination:
    """Raises Terminated in the plan's thread at SIGTERM, from `begin` to `hold`.

    Does nothing where the plan is not in its process's main thread, or handles SIGTERM itself.
    """

    def __init__(self) -> None:
        self.came = False
        """Whether SIGTERM or Ctrl-C came since they are held."""
        self._ours = False
        self._held: dict[int, Any] = {}

    def begin(self) -> None:
        """Listen, from now on."""
        if _in_main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _raise)
            self._ours = True

    def hold(self) -> None:
        """From now on SIGTERM and Ctrl-C are only noted: what they would end is over."""
        if not _in_main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = signal.getsignal(number)
            if handler in (_raise, signal.default_int_handler):
                self._held[number] = signal.SIG_DFL if handler is _raise else handler
                signal.signal(number, self._note)

    def end(self) -> None:
        """Leave them as they were."""
        for number, handler in self._held.items():
            if signal.getsignal(number) == self._note:
                signal.signal(number, handler)
        self._held.clear()
        if self._ours and signal.getsignal(signal.SIGTERM) is _raise:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._ours = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.came = True


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated("asked to stop (SIGTERM)")
