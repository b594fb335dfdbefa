"""Paths as they are stored and hashed: told by a root, so that a workspace can be moved."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from xpm_engine.errors import LoadError
from xpm_engine.workspace.aliases import resolve
from xpm_engine.workspace.layout import JobKey, WorkspacePaths

JOB = "job:"
WORKSPACE = "workspace"
PROJECT = "project"
DATA = "data"
ABSOLUTE = "abs"


@dataclass(frozen=True)
class PathRoots:
    """The folders that stored paths are relative to."""

    workspace: WorkspacePaths | None
    """None where no path can be in a workspace."""
    project: str
    """The plan's folder, absolute."""
    data: str = ""
    """The folder of data sets, absolute; empty for none."""

    @cached_property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Real place -> name, of a workspace or data folder that is reached by symbolic links.

        ``path.resolve()`` gives the real one, and is as much a path in a job's folder.
        """
        named = (self.workspace.root if self.workspace is not None else "", self.data)
        real = ((os.path.realpath(name), name) for name in named if name)
        return tuple((place, name) for place, name in real if place != name)


current_roots: ContextVar[PathRoots | None] = ContextVar("current_roots", default=None)
"""The roots that values are told by; None: those of the experiment around, if there is one."""


@contextmanager
def using_roots(roots: PathRoots | None) -> Generator[None]:
    """Tell paths by these roots in this block."""
    token = current_roots.set(roots)
    try:
        yield
    finally:
        current_roots.reset(token)


def locate(path: Path) -> tuple[str, str]:
    """The root and the path below it.

    A relative path is the project's, as it is written. An absolute one is a job's, the
    workspace's, the data folder's, or absolute.
    """
    text = str(path)
    if not path.is_absolute():
        return PROJECT, text
    roots = current_roots.get() or _roots_of_experiment()
    if roots is None:
        return ABSOLUTE, text
    clean = os.path.normpath(text) if ".." in text else text
    for place, name in roots.links:
        below = _below(clean, place)
        if below is not None:
            clean = f"{name}/{below}" if below else name
            break
    workspace = roots.workspace
    if workspace is not None:
        job = workspace.key_of(clean)
        if job is not None:
            return f"{JOB}{job}", _below(clean, workspace.job(job).root) or ""
        relative = _below(clean, workspace.root)
        if relative is not None:
            return WORKSPACE, relative
    relative = _below(clean, roots.data)
    return (ABSOLUTE, text) if relative is None else (DATA, relative)


def job_of(path: Path) -> JobKey | None:
    """The job whose folder holds the path."""
    root = locate(path)[0]
    return JobKey.parse(root[len(JOB) :]) if root.startswith(JOB) else None


def absolute(root: str, relative: str, roots: PathRoots) -> Path:
    """The path on this machine of a stored one; raises LoadError for an unknown root."""
    if root.startswith(JOB) or root == WORKSPACE:
        folder = _in_workspace(root, relative, roots.workspace)
    elif root == PROJECT:
        folder = roots.project
    elif root == DATA and roots.data:
        folder = roots.data
    elif root == ABSOLUTE:
        return Path(relative)
    elif root == DATA:
        raise LoadError(
            f"the stored path {relative!r} is in the data folder, which is not set here",
            hint="set the data folder in xpm.toml",
        )
    else:
        raise LoadError(f"a stored path has the unknown root {root!r}")
    return Path(folder, relative) if relative else Path(folder)


def _roots_of_experiment() -> PathRoots | None:
    from xpm_engine.config.submitting import current_submitter

    submitter = current_submitter.get()
    return None if submitter is None else submitter.roots


def _in_workspace(root: str, relative: str, workspace: WorkspacePaths | None) -> str:
    if workspace is None:
        raise LoadError(
            f"the stored path {relative!r} is in a workspace ({root}), and none is known here",
            hint="say which: load(..., workspace=...)",
        )
    if root == WORKSPACE:
        return workspace.root
    try:
        return workspace.job(resolve(workspace, JobKey.parse(root[len(JOB) :]))).root
    except ValueError:
        raise LoadError(f"a stored path names no job: {root!r}") from None


def _below(path: str, folder: str) -> str | None:
    """The part of `path` below `folder`; empty for the folder itself, None if outside."""
    if not folder:
        return None
    if path == folder:
        return ""
    prefix = folder.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None
