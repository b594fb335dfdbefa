"""What a task measures: appended to its metrics.jsonl, many values in one write."""

from __future__ import annotations

import atexit
import math
import operator
import os
import sys
import threading
import time
from collections import deque
from typing import SupportsFloat, SupportsIndex

from xpm_engine.errors import StorageError
from xpm_engine.runtime.context import JobContext, current_job, is_jobs_own_process
from xpm_engine.workspace.atomic import append_bytes
from xpm_engine.workspace.records.fields import format_time
from xpm_engine.workspace.records.metrics import (
    MAX_NAME,
    REPEAT_EVERY,
    metric_line,
    repeat_lines,
)

MAX_DELAY = 1.0
"""Seconds that a value waits to be written, at most."""

MAX_WAITING = 10_000
"""Values that wait to be written, at most."""

MAX_UNWRITTEN = 8_000_000
"""Bytes that are kept for another try where the disk refuses them."""


def metric(
    name: str, value: SupportsFloat, *, step: SupportsIndex | SupportsFloat | None = None
) -> None:
    """Tell a value of this task; outside of a job it does nothing.

    `value` is any number, also of numpy or torch; NaN and infinities are kept. `step` says when
    in the task's own time: a step, an epoch. Costs about a microsecond; the value is on the disk
    within a second, whatever becomes of the task then. Raises TypeError for what is no number,
    ValueError for a name that is empty or too long and for a step that is not finite.
    """
    number = value if type(value) is float else _number(name, value)
    when = step if step is None or type(step) is int else _step(name, step)
    context = current_job()
    if context is not None:
        _writer(context).add(name, number, when)


class _Writer:
    """Values that are still to be written, and the last one of each metric."""

    def __init__(self, context: JobContext, *, batched: bool) -> None:
        self._path = context.job.metrics
        self._attempt = context.attempt
        self.batched = batched
        self._waiting: deque[tuple[str, float, int | float | None, float]] = deque()
        self._scheduled = False
        self._last: dict[str, float] = {}
        self._unwritten = b""
        self._since_repeat = 0
        self._guard = threading.Lock()

    def add(self, name: str, value: float, step: int | float | None) -> None:
        if name not in self._last:
            _check_name(name)
        self._last[name] = value
        self._waiting.append((name, value, step, time.time()))
        if not self._scheduled and self.batched:
            self._schedule()
        elif not self.batched or len(self._waiting) >= MAX_WAITING:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._guard:
            self._scheduled = False
            lines = [self._line(*self._waiting.popleft()) for _ in range(len(self._waiting))]
            data = self._unwritten + "".join(lines).encode("ascii")
            self._since_repeat += len(data)
            if self._since_repeat >= REPEAT_EVERY:
                self._since_repeat = 0
                at = format_time(time.time())
                repeated = repeat_lines(dict(self._last), at=at, attempt=self._attempt)
                data += "".join(repeated).encode("ascii")
            if data:
                self._append(data)

    def _schedule(self) -> None:
        self._scheduled = True
        timer = threading.Timer(MAX_DELAY, self.flush)
        timer.daemon = True
        timer.start()

    def _line(self, name: str, value: float, step: int | float | None, at: float) -> str:
        return metric_line(name, value, step, at=format_time(at), attempt=self._attempt)

    def _append(self, data: bytes) -> None:
        try:
            append_bytes(self._path, data)
            self._unwritten = b""
        except StorageError as error:
            # A full disk must not end a task for the sake of a curve: the next flush tries again.
            self._unwritten = data
            if len(data) > MAX_UNWRITTEN:
                self._unwritten = b""
                sys.stderr.write(f"metrics of the last minutes are lost: {error}\n")


_active: _Writer | None = None


def _writer(context: JobContext) -> _Writer:
    global _active  # noqa: PLW0603 (a process runs one job, once)
    if _active is None:
        # What the task forks may end without a word, so it writes every value at once.
        _active = _Writer(context, batched=is_jobs_own_process())
        if _active.batched:
            atexit.register(_active.flush)
            os.register_at_fork(after_in_child=_forget_parents)
    return _active


def _forget_parents() -> None:
    """In a process that the task forked: what its parent holds is its parent's to write."""
    global _active  # noqa: PLW0603 (as above)
    _active = None


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        got = repr(name)
        got = got if len(got) <= MAX_NAME else got[:MAX_NAME] + "…"
        raise ValueError(f"a metric's name is a text of 1 to {MAX_NAME} characters, got {got}")


def _number(name: str, value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise TypeError(f"metric {name!r} needs a number, got {kind}: {value!r}"[:300]) from None


def _step(name: str, step: object) -> int | float:
    try:
        return operator.index(step)  # type: ignore[arg-type]
    except TypeError:
        number = _number(name, step)
    if not math.isfinite(number):
        raise ValueError(f"metric {name!r} needs a finite step, got {number}")
    return number
