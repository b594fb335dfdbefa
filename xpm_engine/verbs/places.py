"""Which workspace a command means."""

from __future__ import annotations

import os

from xpm_engine.errors import NotAWorkspaceError
from xpm_engine.workspace.layout import WorkspacePaths, list_folders
from xpm_engine.workspace.scan import check_workspace, is_workspace


def find_workspace(path: str | None) -> WorkspacePaths:
    """The workspace at `path`, or, without one, the one that the working directory belongs to.

    That is the working directory itself, else the one folder in it that is a workspace, else the
    nearest folder above that is one. Raises NotAWorkspaceError, StorageError.
    """
    if path is not None:
        workspace = check_workspace(path)
        if not is_workspace(workspace) and os.listdir(workspace.root):
            raise NotAWorkspaceError(
                "is no workspace: it has neither experiments nor jobs",
                where=workspace.root,
                hint="give the folder that your plan calls its workspace",
            )
        return workspace
    here = WorkspacePaths.at(".")
    if is_workspace(here):
        return here
    children = [
        child
        for name in sorted(list_folders(here.root))
        if is_workspace(child := WorkspacePaths.at(name))
    ]
    if len(children) == 1:
        return children[0]
    if children:
        names = ", ".join(os.path.basename(child.root) for child in children)
        raise NotAWorkspaceError(
            f"there are several workspaces here: {names}",
            where=here.root,
            hint=f"say which one: -w {os.path.basename(children[0].root)}",
        )
    return _above(here)


def _above(here: WorkspacePaths) -> WorkspacePaths:
    folder = here.root
    while (parent := os.path.dirname(folder)) != folder:
        folder = parent
        workspace = WorkspacePaths(folder)
        if os.path.isdir(workspace.jobs) and is_workspace(workspace):
            return workspace
    raise NotAWorkspaceError(
        "there is no workspace here, in a folder of this one, or above",
        where=here.root,
        hint="go to it, or say where it is: -w path/to/workspace",
    )
