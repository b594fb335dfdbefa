"""The end of a log and what is appended to it, for the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from xpm_engine.errors import StorageError
from xpm_engine.workspace.logs.file import LogFile
from xpm_engine.workspace.logs.scan import scan
from xpm_engine.workspace.logs.source import LogEvent, LogState
from xpm_engine.workspace.logs.text import Line

POLL_SECONDS = 0.25
_LINES_AT_ONCE = 1000


def read_tail(path: Path, *, lines: int = 10) -> tuple[Line, ...]:
    """The last lines of a log; as much of the file is read as they need.

    Raises StorageError where the file is absent or cannot be read.
    """
    log = _opened(path, lines)
    return log.lines(log.end_row - lines, lines)


def follow(
    path: Path,
    *,
    lines: int = 10,
    ended: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Line | LogEvent]:
    """The last lines of a log, then each line as it is finished, until ``ended()``.

    The size is polled every quarter of a second: no notification is asked for, as network file
    systems send none. A truncated or replaced file is told as an event and read from its start;
    a file that is removed is told, and waited for. At the end an unfinished line comes too.

    Raises StorageError where the file is absent or cannot be read at first.
    """
    log = _opened(path, lines)
    row = max(log.end_row - lines, log.first_row)
    while True:
        last = ended()
        row, told = _advance(log, row)
        if told is not None:
            yield told
        end = log.end_row if last else log.finished_row
        while row < end:
            yield from log.lines(row, min(_LINES_AT_ONCE, end - row))
            row += min(_LINES_AT_ONCE, end - row)
        if last:
            return
        sleep(POLL_SECONDS)


def _advance(log: LogFile, row: int) -> tuple[int, LogEvent | None]:
    """Look again; the row to go on from, and what there is to tell."""
    generation, told = log.generation, None
    while True:
        event = log.apply(scan(log.order()))
        if event is not None and event is not LogEvent.GREW:
            told = event
        if log.generation != generation:
            log.refresh()
            return log.first_row, told
        if log.caught_up:
            return row, told


def _opened(path: Path, lines: int) -> LogFile:
    log = LogFile(path)
    while True:
        log.apply(scan(log.order()))
        if log.state is not LogState.READABLE:
            hint = "see `xpm ls` for the job's state: a job that has not started has no log"
            raise StorageError(log.words, hint=hint)
        if log.complete or (log.caught_up and log.end_row - log.first_row > lines):
            return log
