"""Bringing what is still on another host of a result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from xpm_engine.errors import OccupiedError, UsageError
from xpm_engine.launchers.ssh.fetching import Progress, Stopped, Tally, fetch_rest
from xpm_engine.remote.connection import Connection
from xpm_engine.verbs.far import reached, settings_of
from xpm_engine.verbs.protection import check_may_change
from xpm_engine.workspace import aliases, tickets
from xpm_engine.workspace.elsewhere import fetched
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths

PATIENCE = 2.0
"""Seconds that another one who holds a job's folder is waited for."""


class Fetcher:
    """Brings results here, over one connection a host, until it is closed."""

    def __init__(self, workspace: WorkspacePaths) -> None:
        self._workspace = workspace
        self._hosts: dict[str, tuple[Connection, WorkspacePaths]] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def fetch(
        self,
        key: JobKey,
        patterns: Sequence[str] = ("**",),
        *,
        progress: Progress | None = None,
        stopped: Stopped = lambda: False,
    ) -> Tally:
        """Bring the files of a far result that match a pattern; what is here already stays.

        Of a job that has adopted another one's result it is that one's, in that one's folder.
        Nobody can clean the job meanwhile, or run it again. Raises UsageError for a job that has
        no result elsewhere, OccupiedError while somebody else holds its folder, RemoteError,
        StorageError, UnreadableError.
        """
        check_may_change(self._workspace)
        name = f"{key.task}/{key.short}"
        key = aliases.resolve(self._workspace, key)
        job = self._workspace.job(key)
        lock = tickets.take_lock(job, patience=PATIENCE)
        if lock is None:
            raise _not_now(job, name)
        try:
            known = fetched(job)
            if known is None:
                raise _nothing_there(name)
            connection, there = self._reach(known.of)
            return fetch_rest(
                connection,
                there.job(key),
                job,
                key,
                of=known.of,
                patterns=patterns,
                progress=progress,
                stopped=stopped,
            )
        finally:
            os.close(lock)

    def _reach(self, host: str) -> tuple[Connection, WorkspacePaths]:
        if host not in self._hosts:
            settings = settings_of(self._workspace, host)
            self._hosts[host] = self._open.enter_context(reached(settings))
        return self._hosts[host]


def fetch_job(
    workspace: WorkspacePaths,
    key: JobKey,
    patterns: Sequence[str] = ("**",),
    *,
    progress: Progress | None = None,
) -> Tally:
    """Bring one result; see `Fetcher.fetch`."""
    with Fetcher(workspace) as fetcher:
        return fetcher.fetch(key, patterns, progress=progress)


def _not_now(job: JobPaths, name: str) -> UsageError | OccupiedError:
    if not os.path.isdir(job.root):
        return _nothing_there(name)
    return OccupiedError(
        f"the folder of {name} is in use: it is fetched, cleaned or run again just now",
        where=job.root,
        hint="try it again when that is over",
    )


def _nothing_there(name: str) -> UsageError:
    return UsageError(
        f"{name} has no result on another host",
        hint="only what has finished on a host of xpm.toml can be fetched",
    )
