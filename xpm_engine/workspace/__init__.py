"""The workspace: every path, record and ticket of the folder tree on disk.

- `layout`      where everything is
- `records`     what stands in each file; `atomic`: how files are written; `reserve`: on a full disk
- `tickets`, `claims`, `processes`  who may do what, and who is dead
- `scan`        the tree as records; `index`: the same, remembered; `footing`: whether it is there
- `logs`        the logs of jobs, of any size
- `pool`        what the machine has, shared by all plans of its user
- `settings`    xpm.toml; `user_folders`: where the user's own is
- `standing`, `retries`, `aliases`, `elsewhere`  which run an experiment stands on, what was
                retried, what is another job's result, and what of one is on another host alone
- `obsolete`, `replaced`, `recompute`  what could go, what took its place, what it takes again
- `cleaning`    moving that to the trash and back
- `compare`, `canonical`, `differences`  what differs between two configurations
"""
