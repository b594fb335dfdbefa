"""Which log of a job a person wants to see, and its lines."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from xpm_engine.errors import UsageError
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.logs import Line, LogEvent, LogFile, LogState, follow, read_tail, standing
from xpm_engine.workspace.scan import JobRecord, read_job

_AT_ONCE = 1000


class Stream(Enum):
    """One of the two logs that a task writes."""

    STDOUT = "stdout"
    STDERR = "stderr"


def log_path(
    workspace: WorkspacePaths,
    key: JobKey,
    *,
    stream: Stream | None = None,
    attempt: int | None = None,
) -> Path:
    """The log of a job: of its last attempt unless another is named.

    Without a stream: standard error of a job that ended badly, else the one that was written
    last. Of a result that was adopted: the log of the job that made it. Raises UsageError where
    the job has not started, or never had such an attempt.
    """
    record = read_job(workspace, key)
    job = workspace.job(record.alias or key)
    number = record.attempt if attempt is None else attempt
    out, err = Path(job.stdout(number)), Path(job.stderr(number))
    if not (_stands(out) or _stands(err)):
        which = "has no log yet" if attempt is None else f"has no log of an attempt {attempt}"
        raise UsageError(f"{key.task}/{key.short} {which}: it is {record.state.value}")
    if stream is None:
        stream = _wanted(record, out, err)
    return out if stream is Stream.STDOUT else err


def shown_path(path: Path) -> Path:
    """The file that is read: the log, or the packed copy in its place."""
    try:
        return standing(path)[0]
    except OSError:
        return path


def read_lines(path: Path, *, last: int | None = None) -> Iterator[Line]:
    """The lines of a log, or its `last` ones, safe to print. Raises StorageError."""
    if last is not None:
        yield from read_tail(path, lines=last)
        return
    log = LogFile(path)
    log.refresh()
    if log.state is not LogState.READABLE:
        yield from read_tail(path, lines=0)
    for row in range(log.first_row, log.end_row, _AT_ONCE):
        yield from log.lines(row, min(_AT_ONCE, log.end_row - row))


def follow_lines(
    workspace: WorkspacePaths, key: JobKey, path: Path, *, last: int
) -> Iterator[Line | LogEvent]:
    """The last lines, then what comes until the job has ended. Raises StorageError."""
    return follow(path, lines=last, ended=lambda: not read_job(workspace, key).state.live)


def _wanted(record: JobRecord, out: Path, err: Path) -> Stream:
    if record.state.ended_badly:
        return Stream.STDERR
    return Stream.STDERR if _written(err) > _written(out) else Stream.STDOUT


def _written(path: Path) -> float:
    try:
        _, status = standing(path)
    except OSError:
        return 0.0
    return status.st_mtime if status.st_size else 0.0


def _stands(path: Path) -> bool:
    try:
        standing(path)
    except OSError:
        return False
    return True
