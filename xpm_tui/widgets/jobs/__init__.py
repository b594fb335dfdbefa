"""What is shown of a set of jobs.

- `view`     the right side of a set, with `strip` above and a tab for each of these:
- `table`, `columns`, `column_titles`  the jobs, and what tells them apart
- `causes`   what went wrong, each cause once
- `waiting`  what waits for what, and who has it
"""
