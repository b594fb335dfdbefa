"""What time it is: asked here by everything that is drawn, so that a test can stop the clock."""

from __future__ import annotations

import time


def now() -> float:
    """Seconds since 1970."""
    return time.time()
