"""Tables of any length, whatever their rows are.

- `table`, `keys`  what is drawn, and what the keys do there
- `model`    the rows in the order in which they are shown; no Textual
- `column_fit`, `fitted`  columns in the width there is
"""
