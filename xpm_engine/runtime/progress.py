"""How far a task is: written by the job's process, at most twice a second."""

from __future__ import annotations

import math
import threading
import time
from typing import Protocol

from xpm_engine.errors import StorageError
from xpm_engine.runtime.context import JobContext, current_job, is_jobs_own_process
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
    told = reporter()
    if told is not None:
        told.report(min(1.0, max(0.0, float(fraction))), level, desc)


def flush() -> None:
    """Write what was said last, if it was not written yet."""
    if _active is not None:
        _active.flush()


class Moving(Protocol):
    """A level that moves by itself, and is asked where it is when it is written."""

    def now(self) -> ProgressLevel:
        """Where it is."""
        ...


class Reporter:
    """The levels said so far; what is said between two writes is written by a timer."""

    def __init__(self, context: JobContext) -> None:
        self.dirty = False
        """Whether something was said that is not written yet: a write is coming."""
        self._context = context
        self._levels: list[ProgressLevel | Moving] = []
        self._began = boot_clock()
        self._written = 0.0
        self._timer: threading.Timer | None = None
        self._guard = threading.RLock()
        """Taken twice where a bar is forgotten, and so closed, in the middle of a write."""

    def report(self, fraction: float, level: int, desc: str | None) -> None:
        """Set a level; those below it go."""
        with self._guard:
            if level > len(self._levels):
                raise ValueError(f"progress level {level} was used before level {level - 1}")
            former = self._levels[level] if level < len(self._levels) else None
            kept = former.text if isinstance(former, ProgressLevel) else ""
            self._levels[level:] = [
                ProgressLevel(fraction, kept if desc is None else one_line(desc))
            ]
            self._changed()

    def show(self, moving: Moving, level: int) -> int:
        """Have a level move by itself, at `level` or as deep as there is room; where it is."""
        with self._guard:
            place = min(level, len(self._levels), MAX_LEVELS - 1)
            self._levels[place:] = [moving]
            self._changed()
            return place

    def moved(self) -> None:
        """Something that moves by itself has moved; to be called if nothing is `dirty`."""
        with self._guard:
            self._changed()

    def hide(self, moving: Moving) -> None:
        """Let a level that moved by itself go; the outermost stays, where it is."""
        with self._guard:
            if moving in self._levels:
                place = self._levels.index(moving)
                self._levels[place:] = [] if place else [moving.now()]
                self._changed()

    def flush(self) -> None:
        """Write what is not written yet."""
        with self._guard:
            self._timer = None
            if self.dirty:
                self._write()

    def _changed(self) -> None:
        self.dirty = True
        wait = self._written + MIN_INTERVAL - time.monotonic()
        if wait <= 0:
            self._write()
        elif self._timer is None:
            self._timer = threading.Timer(wait, self.flush)
            self._timer.daemon = True
            self._timer.start()

    def _write(self) -> None:
        # Before the levels are asked: what moves from now on is for the next write.
        self.dirty = False
        record = Progress(
            attempt=self._context.attempt,
            at=now(),
            seconds=boot_clock() - self._began,
            levels=tuple(
                level if isinstance(level, ProgressLevel) else level.now() for level in self._levels
            ),
        )
        self._written = time.monotonic()
        try:
            write_atomic(self._context.job.progress, dumps(record.to_json()))
        except StorageError:
            # A full disk must not end a task for the sake of a progress bar: the next call tries.
            self.dirty = True


def one_line(text: object) -> str:
    """A text as a level can hold it."""
    return " ".join(str(text)[:MAX_TEXT].split())


_active: Reporter | None = None


def reporter() -> Reporter | None:
    """Where this process reports to; None outside of a job, and in what its task has forked."""
    global _active  # noqa: PLW0603 (a process runs one job, once)
    context = current_job()
    if context is None or not is_jobs_own_process():
        return None
    if _active is None:
        _active = Reporter(context)
    return _active
