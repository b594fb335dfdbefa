"""Where everything is: the only place that spells a file name of the workspace.

Portable set: plain standard library, Python 3.8 syntax. Paths are plain strings, because a
workspace of 100,000 jobs makes millions of them.

- `names`      which names a folder may have, and what a job is called
- `job`        the files of one job
- `workspace`  what is around them: runs, trash, shared folders
- `pool`       the files of a machine's pool
- `arriving`   what is still coming
"""

from __future__ import annotations

from xpm_engine.workspace.layout.arriving import (
    is_partial,
    partial_file,
    stage_folder,
    stage_lock,
    stages,
)
from xpm_engine.workspace.layout.job import (
    PACKED,
    XPM,
    JobPaths,
    attempts_in,
    key_of_job,
    link_to_log,
)
from xpm_engine.workspace.layout.names import (
    RETRY_SUFFIX,
    JobKey,
    check_name,
    is_identifier,
    is_name,
    is_retry,
    is_task_folder,
    task_folder,
)
from xpm_engine.workspace.layout.pool import PoolPaths
from xpm_engine.workspace.layout.workspace import (
    SETTINGS,
    RunPaths,
    TrashPaths,
    WorkspacePaths,
    absolute,
    list_folders,
    workspace_of_job,
)

__all__ = [
    "PACKED",
    "RETRY_SUFFIX",
    "SETTINGS",
    "XPM",
    "JobKey",
    "JobPaths",
    "PoolPaths",
    "RunPaths",
    "TrashPaths",
    "WorkspacePaths",
    "absolute",
    "attempts_in",
    "check_name",
    "is_identifier",
    "is_name",
    "is_partial",
    "is_retry",
    "is_task_folder",
    "key_of_job",
    "link_to_log",
    "list_folders",
    "partial_file",
    "stage_folder",
    "stage_lock",
    "stages",
    "task_folder",
    "workspace_of_job",
]
