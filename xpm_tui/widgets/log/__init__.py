"""A log on the screen: of any size, followed, searched.

- `pane`     a log with its streams above, its place below, and a field to look for text
- `view`     its lines, `keys` what the keys do there, `paint` how a line is drawn
- `reading`, `position`  the stream that is read, and where the reader is in it; no Textual
- `status`   what the lines around it say
"""
