"""Which folders may be moved at all, whatever the state of the job in them."""

from __future__ import annotations

import os
import pwd
import stat

from xpm_engine.workspace.layout import JobKey, WorkspacePaths

OTHER_DISK = "it is on another disk than the workspace's trash"
PINNED = "it is pinned"


def workspace_trouble(workspace: WorkspacePaths) -> str:
    """Why nothing at all can be moved in this workspace; empty if something can."""
    paths = (workspace.jobs, workspace.xpm, workspace.trash)
    return next((trouble for path in paths if (trouble := link_trouble(path))), "")


def link_trouble(path: str) -> str:
    """Why nothing is done in the folder at `path`: it is a link; empty if it is none."""
    if not os.path.islink(path):
        return ""
    return f"{path} is a symbolic link, and links are not followed"


class FolderCheck:
    """Says of one job after the other why its folder can't be moved.

    Raises FileNotFoundError where there is no workspace.
    """

    def __init__(self, workspace: WorkspacePaths) -> None:
        self._workspace = workspace
        self._trouble = workspace_trouble(workspace)
        inner = os.path.isdir(workspace.xpm)
        self._device = os.stat(workspace.xpm if inner else workspace.root).st_dev
        self._user = os.geteuid()
        self._tasks: dict[str, str] = {}

    def trouble(self, key: JobKey) -> str:
        """Why the folder of this job can't be moved now; empty if it can."""
        return self._trouble or self._task_trouble(key.task) or self._job_trouble(key)

    def _task_trouble(self, task: str) -> str:
        if task not in self._tasks:
            self._tasks[task] = link_trouble(f"{self._workspace.jobs}/{task}")
        return self._tasks[task]

    def _job_trouble(self, key: JobKey) -> str:
        job = self._workspace.job(key)
        try:
            status = os.lstat(job.root)
        except OSError as error:
            missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
            return "there is no such folder" if missing else f"can't be read: {error.strerror}"
        if not stat.S_ISDIR(status.st_mode):
            return "it is a symbolic link or a file, not a job's folder"
        if status.st_dev != self._device:
            return OTHER_DISK
        if status.st_uid != self._user:
            return f"it belongs to {_name_of(status.st_uid)}"
        if not status.st_mode & stat.S_IWUSR:
            return "its folder is read-only (chmod u+w first)"
        try:
            inner = os.lstat(job.xpm)
        except OSError:
            return "it holds no .xpm folder, so it may not be ours"
        if not stat.S_ISDIR(inner.st_mode):
            return "its .xpm is no folder"
        return PINNED if os.path.lexists(job.pin) else ""


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
