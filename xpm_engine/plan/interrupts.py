"""SIGTERM to a plan: it stops as at Ctrl-C, and leaves its jobs running."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Terminated(KeyboardInterrupt):
    """Somebody sent SIGTERM: `xpm kill --plan`, a service manager, a cluster's scheduler."""


class Termination:
    """Raises Terminated in the plan's thread at SIGTERM, from `begin` to `end`.

    Does nothing where the plan is not in its process's main thread, or handles SIGTERM itself.
    """

    def __init__(self) -> None:
        self._ours = False

    def begin(self) -> None:
        """Listen, from now on."""
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _raise)
            self._ours = True

    def end(self) -> None:
        """Leave SIGTERM as it was."""
        if self._ours and signal.getsignal(signal.SIGTERM) is _raise:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._ours = False


def _raise(number: int, frame: FrameType | None) -> None:
    raise Terminated("asked to stop (SIGTERM)")
