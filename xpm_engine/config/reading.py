"""Whether a plan's file is being read for its classes only, and must not run."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager


class ImportStopped(BaseException):
    """Raised where a plan enters its experiment while a job only wants its classes.

    No `Exception`, so that a plan's own ``except Exception`` does not swallow it.
    """


_depth = 0


def reading_classes() -> bool:
    """Whether modules are being imported for their classes only."""
    return _depth > 0


@contextmanager
def reading() -> Generator[None]:
    """Import for the classes only, in this block."""
    global _depth  # noqa: PLW0603 (a job's process imports in one thread, before its task)
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
