"""What a run was made with: the commit of its code, the interpreter and the packages."""

from __future__ import annotations

import os
import platform
import sys
from functools import lru_cache
from importlib import metadata
from typing import Any

from xpm_engine._version import __version__
from xpm_engine.git import ask_git
from xpm_engine.workspace.records.runs import GitState

GIT_PATIENCE = 5.0
"""Seconds: a repository on a slow disk must not hold a plan up."""


def git_state(folder: str) -> GitState | None:
    """The commit that `folder` is at; None outside of a repository, or where git can't say."""
    status = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if status is None:
        return None
    commit, branch, dirty = "", "", False
    for line in status.splitlines():
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ")
        elif not line.startswith("#"):
            dirty = True
    return GitState(commit, dirty, branch) if commit else None


@lru_cache(maxsize=8)
def project_of(folder: str) -> str:
    """``name@commit``: the folder's repository and its first commit, which no clone changes.

    Empty outside of a repository, or where git can't say.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    roots = _git(folder, "rev-list", "--max-parents=0", "HEAD")
    if not top or not roots:
        return ""
    return f"{os.path.basename(top.strip())}@{sorted(roots.split())[0]}"


def other_project(saved: str, today: str) -> str:
    """``other project: a → b`` where two first commits are known and differ; else nothing."""
    name, _, commit = saved.rpartition("@")
    name_today, _, commit_today = today.rpartition("@")
    if not commit or not commit_today or commit == commit_today:
        return ""
    return f"other project: {name} {commit[:7]} → {name_today} {commit_today[:7]}"


def environment() -> dict[str, Any]:
    """The interpreter, the platform and the installed packages."""
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "engine": __version__,
        "packages": _packages(),
    }


def _packages() -> dict[str, str]:
    """Distribution -> version, by the names of their folders: reading each one's data is slow."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        path = getattr(distribution, "_path", None)
        name, dash, version = (path.stem if path is not None else "").partition("-")
        if dash:
            found.setdefault(name, version)
    return dict(sorted(found.items()))


def _git(folder: str, *arguments: str) -> str | None:
    said = ask_git(folder, *arguments, patience=GIT_PATIENCE)
    return None if said is None else said.decode("utf-8", "replace")
