"""What stands beside an experiment's runs, after some of them came or went."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from xpm_engine.errors import StorageError
from xpm_engine.workspace import scan
from xpm_engine.workspace.atomic import replace_link
from xpm_engine.workspace.layout import WorkspacePaths, is_retry


def tidy_experiments(workspace: WorkspacePaths, experiments: Iterable[str]) -> None:
    """Let each ``latest`` name the last run there is; without any the experiment's folder goes.

    Does what it can: the link is for people. A folder that holds something else stays.
    """
    for name in experiments:
        runs = scan.list_runs(workspace, name)
        link = workspace.latest(name)
        with suppress(OSError, StorageError):
            last = next((run for run in reversed(runs) if not is_retry(run)), None)
            if last is not None:
                if _target(link) != last:
                    replace_link(link, last)
            elif os.path.islink(link):
                os.unlink(link)
            if not runs:
                os.rmdir(workspace.experiment(name))


def _target(link: str) -> str | None:
    try:
        return os.readlink(link)
    except OSError:
        return None
