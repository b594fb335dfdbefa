"""What runs in a job's own process: its supervisor and its task.

- `supervisor`  the small parent of every task
- `order`, `limits`, `reserved`, `shared`, `leftovers`  what it finds before it begins
- `child`, `waiting`, `outcomes`  the fork, until it ends, and what that says
- `signals`, `system`, `memory`  what the kernel has to do with it
- `task`        the task's own process; `context`: which job it is
- `progress`, `metrics`, `bars`, `checkpoint`  what a task can say and keep
- `warm`        the interpreter that forks supervisors; `fork_safety`, `open_files`: whether it may
"""
