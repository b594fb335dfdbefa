"""Files of jobs that run: told to the plan as they appear, and what may start from them early."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from xpm_engine.config.order import Order
from xpm_engine.config.paths import using_roots
from xpm_engine.config.problems import caller
from xpm_engine.config.provenance import held_paths
from xpm_engine.errors import UsageError
from xpm_engine.workspace import tickets
from xpm_engine.workspace.layout import (
    XPM,
    JobKey,
    JobPaths,
    WorkspacePaths,
    is_partial,
)


class Watched:
    """The files that the plan was told of: a job made from these alone waits for nothing else."""

    def __init__(self, workspace: WorkspacePaths) -> None:
        self._workspace = workspace
        self._paths: dict[JobKey, set[str]] = {}

    def tell(self, key: JobKey, path: Path) -> None:
        """The plan is told of a file in the folder of the job `key`."""
        self._paths.setdefault(key, set()).add(str(path))

    def early_of(self, order: Order) -> tuple[str, ...]:
        """``task/identifier/path`` of each file for whose job a task need not wait.

        That is where all that it has of that job are files that the plan was told of.
        """
        found: list[str] = []
        for key in order.dependencies:
            known = self._paths.get(key)
            if known is None:
                continue
            with using_roots(order.roots):
                paths = held_paths(order.nodes, key)
            if paths is not None and known.issuperset(map(str, paths)):
                root = self._workspace.job(key).root
                found += [f"{key}/{os.path.relpath(path, root)}" for path in paths]
        return tuple(found)


def check_patterns(patterns: Iterable[object]) -> None:
    """Raise UsageError for a pattern that names nothing in a job's folder."""
    for pattern in patterns:
        parts = pattern.split("/") if isinstance(pattern, str) else [""]
        # pathlib's own rule: two stars stand for folders, and for nothing less.
        odd = any(part == ".." or "\0" in part or ("**" in part and part != "**") for part in parts)
        if not parts[0] or odd:
            raise UsageError(
                f"{pattern!r} matches no file in a job's folder",
                where=caller(),
                hint="give a pattern below that folder: xp.watch(task, 'checkpoints/*.pt')",
            )


def matching(job: JobPaths, patterns: Iterable[str]) -> Iterator[Path]:
    """The files and folders in a job's folder that match, oldest first; ours are left out."""
    folder = Path(job.root)
    found: dict[Path, tuple[int, str]] = {}
    for pattern in patterns:
        for path in folder.glob(pattern):
            if path.relative_to(folder).parts[:1] == (XPM,) or is_partial(path.name):
                continue
            try:
                found[path] = (path.stat().st_mtime_ns, str(path))
            except OSError:
                # It was replaced, or taken away, just now.
                continue
    return iter(sorted(found, key=lambda path: found[path]))


def has_begun(job: JobPaths, attempt: int) -> bool:
    """Whether what stands in the folder is of that attempt: what was there before is moved."""
    summary = tickets.read_summary(job)
    return summary is not None and summary.attempt == attempt
