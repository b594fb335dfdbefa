"""What the kernel does for a supervisor: parent-death signals, orphans, boot-time clocks."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def boot_clock() -> float:
    """Seconds since boot, sleep included; not moved by changes of the date."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def adopt_orphans() -> None:
    """Make what descendants leave behind children of this process (Linux, prctl(2))."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (Linux, prctl(2)).

    The parent may have died before the call: then this process ends at once.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def children(pid: int) -> list[int]:
    """The pids of a process's children, zombies included (Linux; empty elsewhere)."""
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found.extend(int(child) for child in file.read().split())
        return found
    with suppress(OSError):
        found = [
            int(name) for name in os.listdir("/proc") if name.isdigit() and _parent(name) == pid
        ]
    return found


def descendants() -> list[int]:
    """The pids of all that this process has started, and of what those started.

    After `adopt_orphans` also of those whose parent has ended.
    """
    found = children(os.getpid())
    for pid in found:
        found.extend(children(pid))
    return found


def _parent(pid: str) -> int:
    with suppress(OSError, ValueError), open(f"/proc/{pid}/stat", "rb") as file:
        stat = file.read()
        return int(stat[stat.rindex(b")") + 2 :].split()[1])
    return 0


def _prctl(option: int, argument: int) -> None:
    if sys.platform != "linux":
        return
    _libc().prctl(option, argument, 0, 0, 0)


@lru_cache(maxsize=1)
def _libc() -> Any:
    import ctypes

    return ctypes.CDLL(None)
