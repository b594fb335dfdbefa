"""Pinning jobs, so that no clean ever moves them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from xpm_engine.errors import OccupiedError, UsageError
from xpm_engine.verbs.protection import changing
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import dumps, storage_error, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.pin import Pin
from xpm_engine.workspace.records.tickets import LaunchedBy


@changing
def pin(workspace: WorkspacePaths, keys: Iterable[JobKey], *, why: str = "") -> tuple[JobKey, ...]:
    """Pin these jobs; those that were not pinned before.

    Raises UsageError where a job has no folder, OccupiedError where somebody cleans it just now,
    StorageError.
    """
    pinned: list[JobKey] = []
    for key in keys:
        job = workspace.job(key)
        if not os.path.isdir(job.xpm):
            raise UsageError(f"{key} has no folder, so there is nothing to keep", where=job.root)
        if os.path.lexists(job.pin):
            continue
        write_atomic(job.pin, dumps(Pin(now(), processes.user_name(), why).to_json()))
        # The cleaner looks for the pin after its ticket: one of the two sees the other.
        if _is_cleaned(workspace, key):
            raise OccupiedError(
                f"somebody cleans {key} just now",
                where=job.root,
                hint="`xpm undo` takes it back; then pin it",
            )
        pinned.append(key)
    return tuple(pinned)


@changing
def unpin(workspace: WorkspacePaths, keys: Iterable[JobKey]) -> tuple[JobKey, ...]:
    """Take the pins of these jobs away; those that had one. Raises StorageError."""
    freed: list[JobKey] = []
    for key in keys:
        path = workspace.job(key).pin
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise storage_error(error, path, "remove this pin") from error
        freed.append(key)
    return tuple(freed)


def pinned_jobs(workspace: WorkspacePaths, keys: Iterable[JobKey]) -> frozenset[JobKey]:
    """Those of `keys` that are pinned."""
    return frozenset(key for key in keys if os.path.lexists(workspace.job(key).pin))


def _is_cleaned(workspace: WorkspacePaths, key: JobKey) -> bool:
    try:
        newest = tickets.newest_attempt(workspace.job(key))
    except FileNotFoundError:
        return True
    return newest is not None and newest.end is None and newest.launch.by is LaunchedBy.CLEAN
