"""How far a task is: written by the job's process, at most twice a second."""

from __future__ import annotations

import math
import threading
import time

from xpm_engine.errors import StorageError
from xpm_engine.runtime.context import JobContext, current_job
from xpm_engine.runtime.system import boot_clock
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.jobs import Progress, ProgressLevel

MIN_INTERVAL = 0.5
"""Seconds between two replacements of progress.json."""

MAX_LEVELS = 8
MAX_TEXT = 200
"""Characters of a level's text."""


def progress(fraction: float, *, level: int = 0, desc: str | None = None) -> None:
    """Say how far this task is; outside of a job it does nothing.

    `fraction` is 0 to 1 (clipped). `level` 0 is the whole; a deeper level is a part of the one
    above it (an epoch's batches), and goes when a level above it moves on. `desc` says what is
    going on at that level; None keeps what was said last. Raises ValueError for a level outside
    0 to 7 or one whose upper level was never said, and for a fraction that is no number.
    """
    if not 0 <= level < MAX_LEVELS:
        raise ValueError(f"progress level {level}: 0 to {MAX_LEVELS - 1} are possible")
    if math.isnan(fraction):
        raise ValueError("progress needs a fraction from 0 to 1, got NaN")
    context = current_job()
    if context is not None:
        _reporter(context).report(min(1.0, max(0.0, float(fraction))), level, desc)


def flush() -> None:
    """Write what was said last, if it was not written yet."""
    if _active is not None:
        _active.flush()


class _Reporter:
    """The levels said so far; a call between two writes is written by a timer."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._levels: list[ProgressLevel] = []
        self._began = boot_clock()
        self._written = 0.0
        self._dirty = False
        self._timer: threading.Timer | None = None
        self._guard = threading.Lock()

    def report(self, fraction: float, level: int, desc: str | None) -> None:
        with self._guard:
            if level > len(self._levels):
                raise ValueError(f"progress level {level} was used before level {level - 1}")
            kept = self._levels[level].text if level < len(self._levels) else ""
            text = kept if desc is None else " ".join(str(desc)[:MAX_TEXT].split())
            self._levels[level:] = [ProgressLevel(fraction, text)]
            self._dirty = True
            wait = self._written + MIN_INTERVAL - time.monotonic()
            if wait <= 0:
                self._write()
            elif self._timer is None:
                self._timer = threading.Timer(wait, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        with self._guard:
            self._timer = None
            if self._dirty:
                self._write()

    def _write(self) -> None:
        record = Progress(
            attempt=self._context.attempt,
            at=now(),
            seconds=boot_clock() - self._began,
            levels=tuple(self._levels),
        )
        self._written = time.monotonic()
        self._dirty = False
        try:
            write_atomic(self._context.job.progress, dumps(record.to_json()))
        except StorageError:
            # A full disk must not end a task for the sake of a progress bar: the next call tries.
            self._dirty = True


_active: _Reporter | None = None


def _reporter(context: JobContext) -> _Reporter:
    global _active  # noqa: PLW0603 (a process runs one job, once)
    if _active is None:
        _active = _Reporter(context)
    return _active
