"""What is shown of one job.

- `view`     the right side of a job, with a tab for each of these:
- `overview`, `overview_lines`, `overview_facts`  the widget, what it says, what it reads for that
- `parameters`, `metrics`, `files`, `links`
"""
