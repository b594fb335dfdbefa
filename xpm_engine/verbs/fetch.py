"""Bringing what is still on another host of a result."""

from __future__ import annotations

from collections.abc import Sequence

from xpm_engine.errors import UsageError
from xpm_engine.launchers.ssh.fetching import Progress, Tally, fetch
from xpm_engine.verbs.far import reached, settings_of
from xpm_engine.workspace.atomic import dumps, read_object, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.mirror import Fetched


def fetch_job(
    workspace: WorkspacePaths,
    key: JobKey,
    patterns: Sequence[str] = ("**",),
    *,
    progress: Progress | None = None,
) -> Tally:
    """Bring the files of a far result that match a pattern; what is here already stays.

    Raises UsageError for a job that did not run elsewhere, RemoteError, StorageError.
    """
    job = workspace.job(key)
    try:
        known = Fetched.from_json(read_object(job.fetched), job.fetched)
    except FileNotFoundError:
        raise UsageError(
            f"{key.task}/{key.short} has no result on another host",
            hint="only what has finished on a host of xpm.toml can be fetched",
        ) from None
    with reached(settings_of(workspace, known.of)) as (connection, there):
        root = there.job(key).root
        tally = fetch(connection, root, job.root, patterns, progress=progress)
    found = Fetched(known.of, root, tally.files, min(known.left, tally.left))
    write_atomic(job.fetched, dumps(found.to_json()))
    return tally
