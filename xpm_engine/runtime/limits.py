"""What an attempt may use, as its order says: time, memory, and how long it is given to save."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GRACE = 10.0
"""Seconds that a task is given between SIGTERM and SIGKILL, where nothing else is said."""


@dataclass(frozen=True)
class Limits:
    """The bounds of one attempt."""

    seconds: float | None = None
    """After these it is asked to stop, as by a person; None for no limit."""
    memory: float | None = None
    """Bytes that it and all it started may hold together; None for no limit."""
    grace: float = GRACE
    """Seconds between SIGTERM and SIGKILL."""

    @classmethod
    def of(cls, resources: Mapping[str, Any]) -> Limits:
        """The bounds in the `resources` of an N.launch; what is no positive number is no bound."""
        grace = _number(resources.get("grace"))
        return cls(
            seconds=_number(resources.get("time")) or None,
            memory=_number(resources.get("memory")) or None,
            grace=GRACE if grace is None else grace,
        )

    def deadline(self) -> float | None:
        """When (time.monotonic) an attempt that begins now has used up its time."""
        return None if self.seconds is None else time.monotonic() + self.seconds


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if value >= 0 and math.isfinite(value) else None
