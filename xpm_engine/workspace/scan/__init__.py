"""Reading the folder tree: jobs, experiments and runs as frozen records; never writes.

Links are not followed and user code is not imported. What cannot be read is a record that says
so, never an exception.

- `folders`  which jobs, experiments and runs there are
- `jobs`     a job's folder as a record
- `runs`     a run's folder as a record
- `unseen`   what can't be looked into
- `dead`     whether a process that a record names is dead
"""

from __future__ import annotations

from xpm_engine.workspace.scan.dead import Dead
from xpm_engine.workspace.scan.folders import (
    check_workspace,
    is_workspace,
    list_experiments,
    list_jobs,
    list_runs,
)
from xpm_engine.workspace.scan.jobs import (
    JobFiles,
    JobRecord,
    last_sign,
    read_job,
    read_params,
    read_progress,
    record_from,
)
from xpm_engine.workspace.scan.runs import (
    RunView,
    plan_state,
    read_manifest,
    read_orders,
    read_run,
    read_run_record,
)
from xpm_engine.workspace.scan.unseen import Unseen, look_for_unseen, unseen_runs

__all__ = [
    "Dead",
    "JobFiles",
    "JobRecord",
    "RunView",
    "Unseen",
    "check_workspace",
    "is_workspace",
    "last_sign",
    "list_experiments",
    "list_jobs",
    "list_runs",
    "look_for_unseen",
    "plan_state",
    "read_job",
    "read_manifest",
    "read_orders",
    "read_params",
    "read_progress",
    "read_run",
    "read_run_record",
    "record_from",
    "unseen_runs",
]
