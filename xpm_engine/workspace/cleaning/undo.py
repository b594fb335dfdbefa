"""Taking a clean back."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import append_bytes, dumps, make_folders
from xpm_engine.workspace.cleaning.cleaner import Cleaner
from xpm_engine.workspace.cleaning.folders import link_trouble
from xpm_engine.workspace.cleaning.pieces import return_pieces
from xpm_engine.workspace.cleaning.purged import forget
from xpm_engine.workspace.cleaning.recovery import recover
from xpm_engine.workspace.cleaning.transactions import finish, held, jobs_in, read_journal
from xpm_engine.workspace.layout import JobKey, JobPaths, TrashPaths, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.tickets import LaunchedBy
from xpm_engine.workspace.records.trash import Left, Piece, Removal, undone_line


@dataclass(frozen=True)
class UndoReport:
    """What an undo did."""

    transaction: str
    returned: tuple[JobKey, ...]
    kept: tuple[Left, ...]
    """The jobs that stay in the trash, with why."""
    pieces: tuple[Piece, ...] = ()
    """What else was moved back: leftovers, files, logs, runs, shared folders."""


def undo(workspace: WorkspacePaths, name: str) -> UndoReport:
    """Move the jobs of a transaction back to where they were.

    Nothing is overwritten: where a folder stands in a job's place, the job stays in the trash, and
    the report says so. Afterwards each job is in the state that it was in before. Raises UsageError
    where there is no such transaction, OccupiedError while somebody works on it, StorageError.
    """
    recover(workspace)
    with held(workspace, name) as trash:
        nonce, removals, listed = _listed(trash)
        cleaner = Cleaner(trash, nonce)
        cleaner.write_void()
        folders = _Folders(workspace)
        returned: list[JobKey] = []
        kept: list[Left] = []
        for key in jobs_in(trash):
            why = folders.trouble(key.task) or _bring_back(
                workspace, cleaner, key, removals.get(key)
            )
            if why:
                kept.append(Left(key, why))
            else:
                returned.append(key)
        pieces, stayed = return_pieces(workspace, trash, listed)
        kept.extend(stayed)
        if kept:
            line = undone_line(now(), cleaner.user, len(returned), kept)
            with suppress(StorageError):
                append_bytes(trash.journal, dumps(line) + b"\n")
        forget(workspace, name)
        finish(trash)
    kept.sort(key=lambda left: (str(left.key), left.why))
    return UndoReport(name, tuple(sorted(returned)), tuple(kept), pieces)


class _Folders:
    """The folders of tasks, made as they are needed."""

    def __init__(self, workspace: WorkspacePaths) -> None:
        self._workspace = workspace
        self._seen: dict[str, str] = {}

    def trouble(self, task: str) -> str:
        """Why nothing can be moved into the folder of this task; empty once it is there."""
        if task not in self._seen:
            path = f"{self._workspace.jobs}/{task}"
            self._seen[task] = link_trouble(path)
            if not self._seen[task]:
                make_folders(path)
        return self._seen[task]


def _bring_back(
    workspace: WorkspacePaths, cleaner: Cleaner, key: JobKey, removal: Removal | None
) -> str:
    """Move one job back; why it stays, or an empty text."""
    source, job = cleaner.trash.job(key), workspace.job(key)
    # rename(2) would replace an empty folder.
    if os.path.lexists(job.root):
        return "a newer folder stands in its place"
    try:
        number = _ticket(source) if removal is None else removal.attempt
        os.rename(source.root, job.root)
    except OSError as error:
        return f"can't be moved: {error.strerror or error}"
    except UnreadableError as error:
        return f"{error.where}: {error.what}"
    if number:
        cleaner.void(job, number)
    return ""


def _ticket(job: JobPaths) -> int:
    """The cleaner's attempt in a job of which no journal tells; 0 where there is none."""
    attempt = tickets.newest_attempt(job)
    if attempt is None or attempt.end is not None or attempt.launch.by is not LaunchedBy.CLEAN:
        return 0
    return attempt.number


def _listed(trash: TrashPaths) -> tuple[str, dict[JobKey, Removal], tuple[Piece, ...]]:
    """The nonce, jobs and pieces that the journal tells of; nothing if it can't be read."""
    try:
        journal = read_journal(trash)
    except (FileNotFoundError, UnreadableError):
        return "", {}, ()
    removals = {removal.key: removal for removal in journal.removals}
    return journal.head.nonce, removals, journal.pieces
