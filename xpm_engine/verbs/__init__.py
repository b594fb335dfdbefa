"""What a user can do to jobs and runs; used by the command line and the app; prints nothing.

Which jobs are meant, and what is told of them:

- `places`, `find`, `selecting`  from what is typed to a workspace, a job, the jobs of a filter
- `listing`, `current`           jobs as rows, the runs that they stand in
- `job_columns`, `job_facts`, `snapshots`  all jobs as columns, the fields that a filter asks for
- `why`, `earlier`, `upstream`, `diff`, `drift`  why a job ran, and what changed
- `causes`, `logs`               what went wrong, and where that is written
- `describe`, `forecast`, `forms`  a class in words, what a plan would do, parameters to be pasted
- `ids`, `lockfile`              which identifiers a change of code alters

What is done to them:

- `kill`                         stop jobs, and name the plan that would start the next ones
- `retry`, `retry_outline`, `starting`  run again: planned, shown, started
- `pins`, `protection`           what may not be changed
- `fetch`, `elsewhere`, `far`    what is on another host alone
- `served`                       all of this for an asker on another machine
- `doctor`                       whether things are as they must be

Cleaning:

- `obsolete`, `offers`, `offering`  what could go, why, and who needs it
- `folding`, `fold_words`        rows that are alike, as one
- `clean`, `clean_json`, `offer_json`  the plan carried out and taken back; both as JSON
- `budget`, `usage`              what frees so many bytes; what takes how many
- `policies`, `retention`, `after_run`  what ``[retention]`` says, and when
- `gone`, `trash_facts`          what left the workspace
"""
