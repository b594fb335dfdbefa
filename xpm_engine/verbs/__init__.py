"""What a user can do to jobs and runs; used by the command line and the app; prints nothing.

What is told:

- `places`                       which workspace is meant
- `jobs`                         which jobs are meant, and what each is like
- `why`, `earlier`, `upstream`, `diff`, `drift`  why a job ran, and what changed
- `causes`, `logs`               what went wrong, and where that is written
- `describe`, `forecast`, `forms`  a class in words, what a plan would do, parameters to be pasted
- `ids`, `lockfile`              which identifiers a change of code alters

What is done to them:

- `kill`                         stop jobs, and name the plan that would start the next ones
- `retry`, `retry_outline`, `starting`  run again: planned, shown, started
- `cleaning`                     what could go and why, the trash, and back
- `protection`                   workspaces in which nothing may be changed
- `fetch`, `far`    what is on another host alone
- `served`                       all of this for an asker on another machine
- `doctor`                       whether things are as they must be
"""
