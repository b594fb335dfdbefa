"""How the benchmarks of one process take the time."""

from __future__ import annotations

import time
from collections.abc import Callable

ROUNDS = 7


def best(work: Callable[[], object]) -> float:
    """Milliseconds of the processor, the best of several rounds."""
    least = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        least = min(least, time.process_time() - start)
    return least * 1000
