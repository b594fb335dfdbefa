"""What stands where runs and jobs do, and can't be looked into: who needs what there, nobody knows.

Links are not followed, and a folder may be somebody else's. A run behind a link goes on needing its
jobs all the same, so that a cleaner has to know that there is something that it does not see.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xpm_engine.workspace.layout import WorkspacePaths, is_identifier, is_name, is_task_folder


@dataclass(frozen=True)
class Unseen:
    """What can't be looked into, each with its path and why."""

    runs: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()


def look_for_unseen(workspace: WorkspacePaths) -> Unseen:
    """Look at all folders of runs and of jobs; reads only."""
    jobs = _unseen(workspace.jobs, is_task_folder, is_identifier)
    return Unseen(tuple(unseen_runs(workspace)), tuple(jobs))


def unseen_runs(workspace: WorkspacePaths) -> Iterator[str]:
    """The experiments and runs that can't be looked into."""
    return _unseen(workspace.experiments, is_name, is_name)


def _unseen(
    root: str, is_outer: Callable[[str], bool], is_inner: Callable[[str], bool]
) -> Iterator[str]:
    real = os.path.realpath(root)
    folders: list[str] = []
    yield from _look(root, real, is_outer, folders)
    for folder in folders:
        yield from _look(folder, real, is_inner, [])


def _look(path: str, real: str, wanted: Callable[[str], bool], folders: list[str]) -> Iterator[str]:
    """What can't be looked into in a folder; the folders in it are added."""
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_symlink():
                    if wanted(entry.name) and _leads_away(entry.path, real):
                        yield f"{entry.path} is a symbolic link, and links are not followed"
                elif wanted(entry.name) and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield f"{path} can't be read: {error.strerror}"


def _leads_away(link: str, real: str) -> bool:
    """Whether a link may lead to a folder that is not listed under a name of its own."""
    target = os.path.realpath(link)
    return not target.startswith(real + os.sep) and not os.path.isfile(target)
