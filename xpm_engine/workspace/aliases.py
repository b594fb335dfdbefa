"""Results that were adopted from a job under its former name: found, followed, recorded."""

from __future__ import annotations

from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import dumps, make_folders, read_object, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.alias import Alias
from xpm_engine.workspace.records.fields import now

MAX_HOPS = 16
"""Renames of a renamed job; more can only be a circle that somebody made by hand."""


def alias_of(workspace: WorkspacePaths, key: JobKey) -> Alias | None:
    """What the job has adopted; None if it has results of its own, or nothing.

    Raises UnreadableError.
    """
    job = workspace.job(key)
    try:
        alias = Alias.from_json(read_object(job.alias), job.alias)
    except FileNotFoundError:
        return None
    # A void ticket, as a clean that was undone leaves it, is no attempt.
    return alias if tickets.last_attempt(job) is None else None


def resolve(workspace: WorkspacePaths, key: JobKey) -> JobKey:
    """The job whose folder holds the results of `key`: itself, or what it has adopted.

    Raises UnreadableError.
    """
    for _ in range(MAX_HOPS):
        alias = alias_of(workspace, key)
        if alias is None:
            return key
        key = alias.of
    return key


def has_result(workspace: WorkspacePaths, key: JobKey) -> bool:
    """Whether the job is done, or has adopted a job that is; raises UnreadableError."""
    return tickets.is_done(workspace.job(resolve(workspace, key)))


def adopt(workspace: WorkspacePaths, key: JobKey, of: JobKey, *, run: str) -> None:
    """Record that the result of `key` is that of `of`; raises StorageError."""
    job = workspace.job(key)
    make_folders(job.xpm)
    alias = Alias(of, now(), processes.user_name(), run)
    write_atomic(job.alias, dumps(alias.to_json()))
