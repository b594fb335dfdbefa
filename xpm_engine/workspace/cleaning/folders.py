"""Which folders may be moved at all, whatever the state of the job in them."""

from __future__ import annotations

import os
import pwd
import stat

from xpm_engine.workspace.cleaning.mounts import mounts_below
from xpm_engine.workspace.layout import JobKey, WorkspacePaths

OTHER_DISK = "it is on another disk than the workspace's trash"
PINNED = "it is pinned"


def mounted_words(place: str) -> str:
    """That something is mounted there, and what to do."""
    return f"a file system is mounted at {place} (umount it first)"


def workspace_trouble(workspace: WorkspacePaths) -> str:
    """Why nothing at all can be moved in this workspace; empty if something can."""
    paths = (workspace.jobs, workspace.xpm, workspace.trash)
    return next((trouble for path in paths if (trouble := link_trouble(path))), "")


def link_trouble(path: str) -> str:
    """Why nothing is done in the folder at `path`: it is a link; empty if it is none."""
    if not os.path.islink(path):
        return ""
    return f"{path} is a symbolic link, and links are not followed"


def links_between(workspace: WorkspacePaths, path: str) -> str:
    """Why nothing is done in the folder at `path`, below the workspace's: a link on the way."""
    inside = os.path.relpath(path, workspace.root)
    if inside == os.curdir or inside.startswith(os.pardir):
        return "" if inside == os.curdir else f"{path} is not in the workspace"
    way = workspace.root
    for part in inside.split(os.sep):
        way = f"{way}/{part}"
        trouble = link_trouble(way)
        if trouble:
            return trouble
    return ""


class FolderCheck:
    """Says of one job after the other why its folder can't be moved.

    Raises FileNotFoundError where there is no workspace.
    """

    def __init__(self, workspace: WorkspacePaths) -> None:
        self._workspace = workspace
        self.workspace_trouble = workspace_trouble(workspace)
        inner = os.path.isdir(workspace.xpm)
        self._device = os.stat(workspace.xpm if inner else workspace.root).st_dev
        self._user = os.geteuid()
        self._mounts = mounts_below(workspace.root)
        self._tasks: dict[str, str] = {}

    def trouble(self, key: JobKey) -> str:
        """Why the folder of this job can't be moved now; empty if it can."""
        return self.workspace_trouble or self._task_trouble(key.task) or self._job_trouble(key)

    def status_trouble(self, status: os.stat_result) -> str:
        """Why what has this status can't be moved: another disk's or user's, or read-only."""
        if status.st_dev != self._device:
            return OTHER_DISK
        if status.st_uid != self._user:
            return f"it belongs to {_name_of(status.st_uid)}"
        if stat.S_ISDIR(status.st_mode) and not status.st_mode & stat.S_IWUSR:
            return "its folder is read-only (chmod u+w first)"
        return ""

    def mount_trouble(self, path: str) -> str:
        """Why what stands at `path` can't be moved: a file system is mounted in it."""
        if not self._mounts:
            return ""
        real = os.path.realpath(path)
        for place in self._mounts:
            if place == real or place.startswith(real + os.sep):
                return mounted_words(place)
        return ""

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
        trouble = self.status_trouble(status) or self.mount_trouble(job.root)
        if trouble:
            return trouble
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
