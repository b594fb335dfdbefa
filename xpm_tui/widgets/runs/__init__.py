"""What is shown of the runs of an experiment.

- `table`    all of them
- `lines`    what an earlier one was asked, and how it differs from the latest
"""
