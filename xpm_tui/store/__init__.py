"""The app's model of a workspace: records -> snapshot + deltas; no Textual in it.

- `subjects`   what the cursor can stand on
- `model`      what the store answers with, and the delta that it takes
- `reader`     the disk -> deltas, in a thread of its own
- `memory`     what a reader knows, and keeps for the next time
- `restarts`   which jobs that are over may start again unseen
- `rows`       many jobs at once, none of them made before it is looked at
- `run_index`  one run, ready to be asked; `references`: its lines by job
- `columns`    all jobs as columns, for filters; `ranking`: their values as numbers to sort by
- `selected`   what a filter selects, as a byte a job
- `labels`     what a job is called among its siblings
- `found`      all jobs and runs, one delta after the other
- `shared_jobs`  those that several experiments have
- `store`      what the screens ask: experiments, sets of jobs, names
"""

from __future__ import annotations

from xpm_tui.store.labels import differing, pair, shared
from xpm_tui.store.model import (
    FAILURES,
    IMPORTANCE,
    RANK,
    WAITS,
    Changed,
    Counts,
    Delta,
    Experiment,
    Group,
    Job,
)
from xpm_tui.store.rows import JobList, jobs_among
from xpm_tui.store.store import Store
from xpm_tui.store.subjects import (
    AllJobsSubject,
    CleanedSubject,
    EarlierRunsSubject,
    ExperimentSubject,
    FailedSubject,
    Grouping,
    GroupKey,
    GroupSubject,
    JobSubject,
    LogSubject,
    ObsoleteSubject,
    RunKey,
    RunSubject,
    Stream,
    Subject,
    TrashSubject,
    WorkspaceSubject,
)

__all__ = [
    "FAILURES",
    "IMPORTANCE",
    "RANK",
    "WAITS",
    "AllJobsSubject",
    "Changed",
    "CleanedSubject",
    "Counts",
    "Delta",
    "EarlierRunsSubject",
    "Experiment",
    "ExperimentSubject",
    "FailedSubject",
    "Group",
    "GroupKey",
    "GroupSubject",
    "Grouping",
    "Job",
    "JobList",
    "JobSubject",
    "LogSubject",
    "ObsoleteSubject",
    "RunKey",
    "RunSubject",
    "Store",
    "Stream",
    "Subject",
    "TrashSubject",
    "WorkspaceSubject",
    "differing",
    "jobs_among",
    "pair",
    "shared",
]
