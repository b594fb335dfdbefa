"""The small record that stays of what was deleted for good."""

from __future__ import annotations

import gzip
import os
import zlib
from contextlib import suppress

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import dumps, make_folders, write_atomic
from xpm_engine.workspace.cleaning.transactions import Transaction
from xpm_engine.workspace.layout import PACKED, JobPaths, TrashPaths, WorkspacePaths, is_name
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.purged import Purged, PurgedJob, parse_purged, purged_lines
from xpm_engine.workspace.records.trash import Removal

LAST_LINES = 10
"""Kept of each log."""

_TAIL = 4096
"""Bytes read from the end of a log for them."""


def gather(trash: TrashPaths, lying: Transaction) -> Purged:
    """What is to be known of a clean once it is gone; reads only."""
    return Purged(
        lying.name,
        lying.at,
        now(),
        processes.user_name(),
        processes.host_name(),
        tuple(_job(trash.job(removal.key), removal) for removal in lying.removals),
        lying.pieces,
    )


def keep(workspace: WorkspacePaths, record: Purged) -> bool:
    """Write a record; False where the disk has no room for it."""
    data = b"".join(dumps(line) + b"\n" for line in purged_lines(record))
    try:
        make_folders(workspace.purged)
        write_atomic(workspace.purged_record(record.name), data, durable=True)
    except StorageError:
        return False
    return True


def forget(workspace: WorkspacePaths, name: str) -> None:
    """A clean was not purged after all: its record goes, if there is one."""
    with suppress(OSError):
        os.unlink(workspace.purged_record(name))


def list_purged(workspace: WorkspacePaths) -> tuple[Purged, ...]:
    """What was deleted for good, the newest first; what can't be read is left out. Reads only."""
    found: list[Purged] = []
    for name in _names(workspace):
        with suppress(FileNotFoundError, UnreadableError):
            found.append(read_purged(workspace, name))
    return tuple(sorted(found, key=lambda record: record.purged, reverse=True))


def count_purged(workspace: WorkspacePaths) -> int:
    """How many cleans were deleted for good and left a record."""
    return len(_names(workspace))


def read_purged(workspace: WorkspacePaths, name: str) -> Purged:
    """One record; raises FileNotFoundError, UnreadableError."""
    path = workspace.purged_record(name)
    try:
        with open(path, "rb") as file:
            return parse_purged(file.read(), path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableError(f"can't be read: {error.strerror}", where=path) from error


def _names(workspace: WorkspacePaths) -> list[str]:
    """Of the cleans that have a record and do not lie in the trash any more."""
    if os.path.islink(workspace.purged):
        return []
    try:
        stems = [os.path.splitext(name)[0] for name in os.listdir(workspace.purged)]
    except OSError:
        return []
    return [
        name
        for name in sorted(stems)
        if is_name(name) and not os.path.lexists(workspace.transaction(name).jobs)
    ]


def _job(job: JobPaths, removal: Removal) -> PurgedJob:
    summary = tickets.read_summary(job)
    if summary is None:
        return PurgedJob(
            removal.key,
            removal.state,
            ended=removal.ended,
            tags=removal.tags,
            params=removal.params,
            size=removal.size,
        )
    return PurgedJob(
        removal.key,
        removal.state,
        summary.attempt,
        summary.run,
        summary.started,
        summary.ended,
        None if summary.usage is None else summary.usage.seconds,
        "" if summary.reason is None else summary.reason.text,
        summary.tags,
        summary.params,
        summary.metrics,
        _last_lines(job.stdout(summary.attempt)),
        _last_lines(job.stderr(summary.attempt)),
        removal.size,
    )


def _last_lines(path: str) -> tuple[str, ...]:
    """The end of a log; of a line that was written again and again, what it said last."""
    try:
        data, whole = _end(path)
    except FileNotFoundError:
        data, whole = _packed_end(path + PACKED)
    except OSError:
        return ()
    lines = data.decode("utf-8", "replace").split("\n")
    if not whole:
        lines = lines[1:] or lines
    said = [line.rstrip("\r").rpartition("\r")[2] for line in lines]
    return tuple(said[:-1] if said and not said[-1] else said)[-LAST_LINES:]


def _end(path: str) -> tuple[bytes, bool]:
    """The last bytes of a file, and whether they are all of it; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        size = os.fstat(descriptor).st_size
        return os.pread(descriptor, _TAIL, max(0, size - _TAIL)), size <= _TAIL
    finally:
        os.close(descriptor)


def _packed_end(path: str) -> tuple[bytes, bool]:
    """The same of a packed log, which has to be read from its start; nothing if it is damaged."""
    data, whole = b"", True
    with suppress(OSError, EOFError, zlib.error):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as raw, gzip.GzipFile(fileobj=raw) as packed:
            while more := packed.read(1 << 20):
                data += more
                whole = whole and len(data) <= _TAIL
                data = data[-_TAIL:]
    return data, whole
