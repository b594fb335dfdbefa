"""The rows around a screen.

- `title_bar`  row 1: the place, the totals
- `status_bar`, `key_bar`  the last two: messages, what is set, the keys that work here
- `filter_line`, `find_line`  what is typed in their place
- `sides`    a line with something at its left and something at its right
"""
