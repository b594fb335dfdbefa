"""What stands in each file: the only place that knows a JSON field, or derives a state.

Portable set: plain standard library, Python 3.8 syntax. One subject a module:

- `fields`       JSON fields that anyone may have damaged, each with its type
- `identity`     a process, on any machine
- `mirror`       where the original of a copy is
- `tickets`      N.launch, N.start, N.end
- `reasons`      why a job ended as it did, or waits
- `jobs`         job.json and progress.json
- `params`       params.json: canonical parameters with their hash tree
- `flat`         the same for people, a line a parameter
- `results`      result.json: what a task returned
- `metrics`      metrics.jsonl: what a task measured
- `runs`         run.json, jobs.jsonl, queue.json
- `orders`       orders.jsonl: what a run has not launched yet
- `retry_order`  what the process of a retry is told
- `events`       events.jsonl: what happened to a job
- `resources`    what a job needs while it runs
- `pool`         the files of a machine's pool
- `alias`        alias.json: a result adopted from a former name
- `pin`          pin.json: a job that is never cleaned
- `baseline`     baseline.json: what was decided about changed defaults
- `trash`        the journal of a cleaning transaction
- `purged`       what stays of a clean that was deleted for good
- `states`       the one function that derives what is shown

Readers accept absent, empty, truncated, newer and foreign files: `UnreadableError`, never a crash.
"""
