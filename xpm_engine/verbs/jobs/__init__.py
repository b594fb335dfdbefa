"""Which jobs there are, and what is told of each.

- `find`, `selecting`  from what is typed to a job, or to the jobs of a filter
- `listing`, `current`  jobs as rows, and the runs that they stand in
- `columns`, `facts`, `snapshots`  all jobs as columns, and the fields that a filter asks for
"""
