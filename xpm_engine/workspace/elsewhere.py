"""What of a finished result is on another host alone, as it was noted here: no host is asked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import aliases, tickets
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.records.mirror import FarFile, Fetched
from xpm_engine.workspace.records.reasons import Outcome


def fetched(job: JobPaths) -> Fetched | None:
    """What was brought of the result that this job has now, and what was not.

    None where it did not finish on another host. Raises UnreadableError.
    """
    attempt = tickets.last_attempt(job)
    if attempt is None or attempt.start is None or attempt.start.mirror is None:
        return None
    if attempt.end is None or attempt.end.outcome is not Outcome.DONE:
        return None
    try:
        found = Fetched.from_json(read_object(job.fetched), job.fetched)
    except FileNotFoundError:
        return None
    # A note of an earlier attempt on another host says nothing of this one's result.
    return found if found.of == attempt.start.mirror.of else None


def rest_of(workspace: WorkspacePaths, key: JobKey) -> Fetched | None:
    """`still_there` of a job's result, be it that of a job that it has adopted."""
    with suppress(UnreadableError):
        return still_there(workspace.job(aliases.resolve(workspace, key)))
    return None


def still_there(job: JobPaths) -> Fetched | None:
    """The same, less the files that have come since it was noted; None where all of it is here."""
    try:
        noted = fetched(job)
    except (FileNotFoundError, UnreadableError):
        return None
    if noted is None or not noted.left:
        return None
    there = tuple(file for file in noted.there if not _is_here(job, file.path, file.size))
    left = noted.left - (len(noted.there) - len(there))
    came = _size(noted.there) - _size(there)
    left_size = noted.left_size - came
    return replace(noted, left=left, left_size=left_size, there=there) if left else None


def _size(files: Sequence[FarFile]) -> int:
    return sum(file.size for file in files)


def _is_here(job: JobPaths, path: str, size: int) -> bool:
    try:
        return os.lstat(f"{job.root}/{path}").st_size == size
    except OSError:
        return False
