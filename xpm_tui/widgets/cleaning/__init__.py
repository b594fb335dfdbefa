"""What is shown of removals.

- `plan_pane`, `plan_table`  a plan: its rows, and in full the one under the cursor
- `obsolete` the plan of all that is obsolete, unticked
- `trash`, `cleaned`  all cleans, and one of them
"""
