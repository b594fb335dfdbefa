"""Tables of any length, whatever their rows are.

- `table`, `keys`  the rows with their cursor, and what the keys do there
- `lines`    how a row, the header and the rest are drawn
- `model`    the rows in the order in which they are shown; no Textual
- `column_fit`, `fitted`  columns in the width there is
"""
