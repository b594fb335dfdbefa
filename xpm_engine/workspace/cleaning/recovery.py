"""Mending what a crash left in the trash: finished or rolled back, from the journal."""

from __future__ import annotations

import os
from contextlib import suppress

from xpm_engine.errors import StorageError, UnreadableError
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import append_bytes, dumps
from xpm_engine.workspace.cleaning.cleaner import Cleaner
from xpm_engine.workspace.cleaning.folders import workspace_trouble
from xpm_engine.workspace.cleaning.piece_mending import mend_pieces
from xpm_engine.workspace.cleaning.transactions import finish, read_journal
from xpm_engine.workspace.cleaning.trees import delete_tree
from xpm_engine.workspace.layout import TrashPaths, WorkspacePaths, is_name, list_folders
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.trash import Journal, Left, PieceKind, moved_line


def recover(workspace: WorkspacePaths) -> tuple[str, ...]:
    """Mend the transactions that a crash left, and return their names.

    What was moved stays in the trash, and can be taken back; what was not is free again. A
    transaction that somebody works on, that began on another machine or that belongs to somebody
    else is left alone. Costs one look a transaction where there is nothing to mend.
    """
    mended: list[str] = []
    if workspace_trouble(workspace):
        return ()
    for name in filter(is_name, list(list_folders(workspace.trash))):
        trash = workspace.transaction(name)
        if os.path.lexists(trash.journal) and not os.path.lexists(trash.lock):
            continue
        with suppress(StorageError):
            lock = tickets.hold(trash.lock, patience=0.0)
            if lock is None:
                continue
            try:
                if _mend(workspace, trash):
                    mended.append(name)
            finally:
                os.close(lock)
    return tuple(mended)


def _mend(workspace: WorkspacePaths, trash: TrashPaths) -> bool:
    """Finish or roll back one transaction, whose lock is held; whether there was anything to do."""
    delete_tree(trash.purging)
    try:
        journal = read_journal(trash)
    except (FileNotFoundError, UnreadableError):
        # Nothing is touched before the whole list is on the disk.
        finish(trash)
        return True
    by = journal.head.by
    if (by.machine_id, by.host) != (processes.machine_id(), processes.host_name()):
        return False
    if journal.listed:
        free = _settle(workspace, trash, journal)
        mend_pieces(workspace, trash, journal.pieces)
        append_bytes(trash.journal, dumps(moved_line(now(), free)) + b"\n")
    finish(trash)
    return True


def _settle(workspace: WorkspacePaths, trash: TrashPaths, journal: Journal) -> list[Left]:
    """Void the tickets of this journal's jobs that stand in the workspace; who they were.

    Raises StorageError.
    """
    why = "the clean was interrupted"
    cleaner = Cleaner(trash, journal.head.nonce)
    cleaner.write_void()
    # Files are taken from a job that is claimed, and that was not to leave.
    for key in {item.key for item in journal.pieces if item.kind is PieceKind.FILE and item.key}:
        cleaner.release_newest(workspace.job(key))
    return [
        Left(removal.key, why)
        for removal in journal.removals
        if cleaner.release(workspace.job(removal.key), removal)
    ]
