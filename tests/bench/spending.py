"""What a command in a pseudo-terminal takes while nobody touches it, by thread."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.bench.screen import Screen

CALM = 10
"""Seconds in a row in which nothing is worked out any more, …"""

DRAWING, ALL = 0.015, 0.1
"""… which is: the thread that draws, and all together, took no more than these seconds in each."""

LONGEST = 300.0


@dataclass(frozen=True)
class Cost:
    """What a time took."""

    seconds: float
    first: int
    """The thread that draws."""
    threads: dict[int, float]
    """Seconds of processor time by thread."""
    wakes: dict[int, int]
    bytes: int
    writes: int
    """How often something was written."""

    @property
    def percent(self) -> float:
        return 100 * sum(self.threads.values()) / self.seconds

    def words(self) -> str:
        parts = sorted(self.threads, key=lambda thread: -self.threads[thread])
        shares = [
            f"{'draws' if thread == self.first else 'thread'} "
            f"{100 * self.threads[thread] / self.seconds:.2f}"
            f" ({self.wakes[thread] / self.seconds:.1f}/s)"
            for thread in parts
            if self.threads[thread] / self.seconds > 0.0002
        ]
        return (
            f"{self.percent:5.2f} %   {sum(self.wakes.values()) / self.seconds:5.1f} wakes/s  "
            f"{self.writes / self.seconds:4.1f} writes/s {self.bytes / self.seconds:6.0f} B/s   "
            f"{len(self.threads)} threads: {', '.join(shares)}"
        )


def cost(screen: Screen, seconds: float) -> Cost:
    """What so many seconds take."""
    spent, woken = screen.threads()
    bytes_before, writes, began = screen.bytes, 0, time.monotonic()
    while (left := began + seconds - time.monotonic()) > 0:
        writes += screen.read(left)
    took = time.monotonic() - began
    now_spent, now_woken = screen.threads()
    return Cost(
        took,
        screen.pid,
        {each: now_spent[each] - spent.get(each, 0.0) for each in now_spent},
        {each: now_woken[each] - woken.get(each, 0) for each in now_woken},
        screen.bytes - bytes_before,
        writes,
    )


def settle(screen: Screen) -> str:
    """Wait until what follows a start is done; how long that was, in words."""
    calm = 0
    while calm < CALM:
        if screen.seconds > LONGEST:
            return f"still working {LONGEST:.0f} s after the start"
        found = cost(screen, 1.0)
        drawing = found.threads[found.first]
        busy = drawing > DRAWING or sum(found.threads.values()) > ALL
        calm = 0 if busy else calm + 1
    return f"nothing left to work out {screen.seconds - CALM:.0f} s after the start"
