"""What a command in a pseudo-terminal takes while nobody touches it, by thread."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.bench.screen import Screen

ALIKE = 0.25
"""How much two parts of the time may differ for its processor time to be even, …"""

PART = 10.0
"""… each of so many seconds."""

LONGEST = 300.0


@dataclass(frozen=True)
class Cost:
    """What a time took."""

    seconds: float
    threads: dict[int, float]
    """Seconds of processor time by thread; the first one draws."""
    wakes: dict[int, int]
    bytes: int
    writes: int
    """How often something was written."""

    @property
    def percent(self) -> float:
        return 100 * sum(self.threads.values()) / self.seconds

    def words(self) -> str:
        parts = sorted(self.threads, key=lambda thread: -self.threads[thread])
        first = min(self.threads)
        shares = [
            f"{'draws' if thread == first else 'thread'} "
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
        {each: now_spent[each] - spent.get(each, 0.0) for each in now_spent},
        {each: now_woken[each] - woken.get(each, 0) for each in now_woken},
        screen.bytes - bytes_before,
        writes,
    )


def settle(screen: Screen) -> str:
    """Wait until what follows a start is done; how long that was, in words."""
    last = cost(screen, PART).percent
    while True:
        before, last = last, cost(screen, PART).percent
        if abs(before - last) <= ALIKE * max(before, last) + 0.1:
            break
        if screen.seconds > LONGEST:
            return f"still working {LONGEST:.0f} s after the start"
    return (
        f"as much in every {PART:.0f} s from {screen.seconds - 2 * PART:.0f} s after the start on"
    )
