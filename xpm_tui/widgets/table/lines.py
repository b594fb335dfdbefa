"""What a table draws: its header, the rows on the screen, and how many more there are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable
from typing import Generic

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip

from xpm_tui import look
from xpm_tui.widgets.drawing import cell, console_of, segments
from xpm_tui.widgets.painting import PaintedLines
from xpm_tui.widgets.table.model import Column, Row, TableModel

GUTTER = 3
"""Cells left of the first column: the cursor's bar, the mark, a blank."""

GAP = 2
"""Cells between two columns."""


class TableLines(PaintedLines, Generic[Row]):
    """The lines of a table, from its rows and where its cursor is."""

    mark_sign = look.MARKED
    """What stands before a marked row."""

    def __init__(
        self,
        key: Callable[[Row], Hashable],
        *,
        columns: tuple[Column[Row], ...],
        header: bool,
        id: str | None,  # noqa: A002 (Textual's name)
        classes: str | None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.model: TableModel[Row] = TableModel(key)
        self.columns = columns
        self.marks: frozenset[Hashable] = frozenset()
        self.nothing = ""
        """What is said where there is no row."""
        self._header = 1 if header else 0
        self._cursor = 0
        self._range_from: Hashable | None = None

    @abstractmethod
    def _range_keys(self) -> frozenset[Hashable]:
        """The rows that a mark would be about."""

    @property
    def page(self) -> int:
        """Rows on one screen."""
        return max(1, self.size.height - self._reserved)

    def make_line(self, y: int, base: Style) -> Strip:
        width = self.room.width
        if y < self._header:
            return self._header_line(width, base)
        height = self.room.height
        if y == height - 1 and self._count > height - self._header:
            return self._more_line(width, base)
        place = self.scrolled.y + y - self._header
        if self.nothing and not self.model.rows and y == self._header:
            text = Text(self.nothing, "xpm.faint")
            return self._strip(Text(" " * GUTTER), text, width, base)
        if not 0 <= place < self._count:
            return Strip.blank(width, base)
        return self._row_line(self.model.shown[place], place, width, base)

    def _row_line(self, row: Row, place: int, width: int, base: Style) -> Strip:
        key = self.model.key(row)
        at_cursor = place == self._cursor
        marked = key in self.marks or (self._range_from is not None and key in self._range_keys())
        gutter = (look.CURSOR if at_cursor else " ") + (self.mark_sign if marked else " ") + " "
        console = console_of(self)
        cells: list[Segment] = []
        edge = self.scrolled.x + width - GUTTER
        start = 0
        for index, column in enumerate(self.columns):
            if index:
                cells.append(Segment(" " * GAP))
            # What the edge of the screen cuts ends in an ellipsis, too.
            seen = edge - start if start < edge < start + column.width else column.width
            cells += cell(column.cell(row), seen, console, right=column.right)
            start += column.width + GAP
            if start > edge:
                break
        line = self._joined(gutter, cells, width, base)
        if not at_cursor:
            return line
        style = self._named("xpm.cursor" if self.has_focus else "xpm.title")
        return Strip(Segment.apply_style(line, post_style=style), line.cell_length)

    def _header_line(self, width: int, base: Style) -> Strip:
        cells = Text()
        for column in self.columns:
            title = column.title
            if self.model.column is not None and self.model.column.title == title:
                title += " …" if self.model.unsorted else " ↑" if self.model.reverse else " ↓"
            if column.right:
                cells.append_text(look.cut(Text(title), column.width, right=True))
                cells.append(" " * GAP)
            else:
                # The arrow may stand in the gap, so that it costs the column nothing.
                cells.append_text(look.cut(Text(title), column.width + GAP))
        cells.stylize("xpm.title")
        return self._strip(Text(" " * GUTTER), cells, width, base)

    def _more_line(self, width: int, base: Style) -> Strip:
        below = self._count - self.scrolled.y - self.page
        words = f"┊ {below:,} more rows" if below > 1 else "┊ 1 more row"
        text = Text(words if below > 0 else f"┊ end of {self._count:,} rows", "xpm.faint")
        return self._strip(Text(" " * GUTTER), text, width, base)

    def _strip(self, gutter: Text, cells: Text, width: int, base: Style) -> Strip:
        return self._joined(gutter.plain, segments(cells, console_of(self)), width, base)

    def _joined(self, gutter: str, cells: list[Segment], width: int, base: Style) -> Strip:
        left = self.scrolled.x
        body = Strip(cells).crop_extend(left, left + max(0, width - GUTTER), None)
        return Strip([Segment(gutter), *body]).crop(0, width).apply_style(base)

    def _named(self, name: str) -> Style:
        return console_of(self).get_style(name, default="bold")

    @property
    def _count(self) -> int:
        return len(self.model.shown)

    @property
    def _overflows(self) -> bool:
        return self._count > self.size.height - self._header

    @property
    def _reserved(self) -> int:
        """Lines that show no row: the header, and how many more there are."""
        return self._header + (1 if self._overflows else 0)
