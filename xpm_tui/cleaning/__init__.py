"""What the app offers to remove, before anything moves; no Textual in it.

- `obsolescence`  what is obsolete, looked for in the background
- `planning`      from what a key was pressed on to a plan
- `removal`       the plan as it is shown: rows, sizes, ticks
- `fold_titles`   what a group of alike rows is called
- `plan_story`    what is told of a row besides its columns
"""
