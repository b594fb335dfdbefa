"""Which way of hearing this machine has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from xpm_tui.ears.inotify import InotifyEars
from xpm_tui.ears.watchdogs import WatchdogEars


class Hears(Protocol):
    """What hears of changes in folders; `far.listening.FarEars` is one as well."""

    def listen_at(self, folders: list[str]) -> list[str]: ...

    def close(self) -> None: ...


def open_ears(heard: Callable[[str], None]) -> Hears:
    """Begin to hear: `heard` is told what came, went or was replaced, in a thread.

    Raises OSError where the system refuses.
    """
    return InotifyEars(heard) if InotifyEars.possible() else WatchdogEars(heard)
