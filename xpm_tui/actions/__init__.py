"""What the keys do.

- `action`  what an action is, and how its key is written
- `table`   all of them
- `acting`  how a key becomes something done
"""
