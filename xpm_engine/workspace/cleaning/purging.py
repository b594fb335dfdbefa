"""Deleting a clean for good."""

from __future__ import annotations

import os

from xpm_engine.workspace.atomic import storage_error
from xpm_engine.workspace.cleaning.purged import gather, keep
from xpm_engine.workspace.cleaning.recovery import recover
from xpm_engine.workspace.cleaning.transactions import finish, held, read_transaction
from xpm_engine.workspace.cleaning.trees import delete_tree, refuse_mounts
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.reserve import keep_room


def purge(workspace: WorkspacePaths, name: str) -> None:
    """Delete a transaction for good.

    A small record of it stays (`list_purged`), but where the disk is so full that there is no room
    for it even afterwards. Its jobs are renamed first, at once, so that a purge that was cut short
    can only be finished, never undone by half. Raises UsageError, OccupiedError, StorageError.
    """
    recover(workspace)
    with held(workspace, name) as trash:
        refuse_mounts(trash.jobs)
        record = gather(trash, read_transaction(workspace, name))
        kept = keep(workspace, record)
        try:
            os.rename(trash.jobs, trash.purging)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise storage_error(error, trash.jobs, "rename this folder") from error
        delete_tree(trash.purging)
        if not kept:
            keep(workspace, record)
        finish(trash)
    keep_room(workspace)
