"""The folders of a workspace: whether there is one, and which jobs, experiments and runs it has."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from xpm_engine.errors import NotAWorkspaceError, StorageError
from xpm_engine.workspace.layout import (
    JobKey,
    WorkspacePaths,
    is_identifier,
    is_name,
    is_task_folder,
    list_folders,
)


def check_workspace(path: str) -> WorkspacePaths:
    """The workspace at `path`, which must be a folder that can be read; it may be empty.

    Raises NotAWorkspaceError, StorageError.
    """
    workspace = WorkspacePaths.at(path)
    try:
        mode = os.stat(workspace.root).st_mode
    except FileNotFoundError:
        raise NotAWorkspaceError(
            "there is no such folder",
            where=workspace.root,
            hint="check the path; a workspace is made by the first plan that runs in it",
        ) from None
    except OSError as error:
        raise StorageError(
            f"can't be read: {error.strerror}", where=workspace.root, hint="check its permissions"
        ) from error
    if not stat.S_ISDIR(mode):
        raise NotAWorkspaceError(
            "is a file, not a folder",
            where=workspace.root,
            hint="give the folder that your plan calls its workspace",
        )
    if not os.access(workspace.root, os.R_OK | os.X_OK):
        raise StorageError(
            "may not be read by you",
            where=workspace.root,
            hint="check who owns this folder and its permissions (ls -ld)",
        )
    return workspace


def is_workspace(workspace: WorkspacePaths) -> bool:
    """Whether something of ours stands in the folder."""
    return any(
        os.path.lexists(path)
        for path in (workspace.jobs, workspace.experiments, workspace.xpm, workspace.settings)
    )


def list_jobs(workspace: WorkspacePaths) -> Iterator[JobKey]:
    """The jobs whose folder stands in the workspace, in no order.

    Those of a task whose folder may not be read are left out (`look_for_unseen` names it). Raises
    PermissionError where no job can be seen at all.
    """
    for task in list_folders(workspace.jobs):
        if is_task_folder(task):
            with suppress(PermissionError):
                for identifier in list_folders(f"{workspace.jobs}/{task}"):
                    if is_identifier(identifier):
                        yield JobKey(task, identifier)


def list_experiments(workspace: WorkspacePaths) -> list[str]:
    """The names of the experiments, sorted; raises PermissionError where none can be seen."""
    return sorted(name for name in list_folders(workspace.experiments) if is_name(name))


def list_runs(workspace: WorkspacePaths, experiment: str) -> list[str]:
    """The ids of an experiment's runs, oldest first (they begin with their time).

    None of one whose folder may not be read (`look_for_unseen` names it).
    """
    with suppress(PermissionError):
        return sorted(filter(is_name, list_folders(workspace.experiment(experiment))))
    return []
