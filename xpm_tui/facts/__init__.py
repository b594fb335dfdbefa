"""What is told of jobs besides their records, found when it is looked at; no Textual in it.

- `causes`   what the failures among some jobs have in common
- `metrics`  the metrics of a job as curves
- `folder`   what lies in a job's folder
- `usage`    what a living job uses now
"""
