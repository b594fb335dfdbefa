"""The one filter of the app; no Textual in it.

- `job_filter`  what is typed and what holds, and what is to be asked when
- `work`        what is asked of which jobs, in whichever thread, and the answer
- `tables`      jobs as the filter language asks them; `facts`: what is told of one job
"""
