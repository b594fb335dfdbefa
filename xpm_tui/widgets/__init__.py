"""The widgets, one a file.

- `frame`        the rows around a screen
- `tree`         the left side
- `right_side`   the right side; what it shows is a `subject_view` with a `tab_rule`:
- `workspace_view`, `jobs`, `job`, `runs`, `cleaning`  of the workspace, of a set, of a job, …
- `log`          a log, in a tab or alone
- `peek`         what stands in place of the right side where there is no room for it
- `table`, `pick_list`, `lines`, `words`  what all of them are made of
- `painting`, `drawing`, `reading`  how lines are drawn, and how what they say is read
- `here`, `damage`  the one thing under the cursor; what could not be read
"""
