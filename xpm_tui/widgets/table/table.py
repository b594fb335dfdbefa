"""A table of any length: only the rows on the screen are ever drawn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from time import monotonic
from typing import Any

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.timer import Timer

from xpm_tui.widgets.table.lines import GAP, GUTTER, TableLines
from xpm_tui.widgets.table.model import Column, Row

SLOWLY = 10
"""Seconds after which rows are drawn again that count no seconds."""

QUIET = 3.0
"""Seconds without a key before rows that changed may change places."""


def _never(_: object) -> bool:
    return False


class _OfTable(Message):
    """What a table tells."""

    def __init__(self, table: Table[Any]) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> Table[Any]:
        return self.table


class _OfRow(_OfTable):
    """What it tells of a row."""

    def __init__(self, table: Table[Any], row: Any) -> None:
        super().__init__(table)
        self.row = row


class Table(TableLines[Row], can_focus=True, inherit_bindings=False):
    """Rows over columns, with a cursor that stays on its row whatever happens around it.

    The rows are a frozen sequence, replaced as a whole. The cursor and the marks are kept by the
    rows' keys. Which rows are marked is decided by who handles `MarksWanted`, and told back with
    `show_marks`.
    """

    DEFAULT_CSS = "Table { scrollbar-size: 0 0; height: 1fr; }"

    class Opened(_OfRow):
        """The row under the cursor is to be opened."""

    class Moved(_OfRow):
        """The cursor stands on another row."""

    class MarksWanted(_OfTable):
        """The user wants these rows, by their keys, to be the marked ones among those shown."""

        def __init__(self, table: Table[Any], marks: frozenset[Hashable]) -> None:
            super().__init__(table)
            self.marks = marks

    def __init__(
        self,
        key: Callable[[Row], Hashable],
        *,
        columns: Sequence[Column[Row]] = (),
        header: bool = True,
        id: str | None = None,  # noqa: A002 (Textual's name)
        classes: str | None = None,
    ) -> None:
        super().__init__(key, columns=tuple(columns), header=header, id=id, classes=classes)
        self._cursor_row: Row | None = None
        self._rests = True
        """Whether nobody has put the cursor anywhere: then it stays at the top, where what matters
        most comes, and not on the row that was there at first."""
        self._last_key = 0.0
        self._resort: Timer | None = None
        self._seconds = 0
        self.hurries: Callable[[Row], bool] = _never
        """Whether a row looks different a second later."""
        self._sort_later: tuple[str, bool] | None = None

    def show(self, rows: Sequence[Row], *, columns: Sequence[Column[Row]] | None = None) -> None:
        """Show other rows; the cursor stays on its row, or where that row was."""
        with self.painted_once():
            if columns is not None and tuple(columns) != self.columns:
                self._take_columns(tuple(columns))
            if rows == self.model.rows:
                self.repaint()
                return
            keep = self.model.column is not None and self._busy
            self.model.replace(rows, keep_order=keep)
            if keep:
                self._resort_later()
            self._follow_cursor()

    def show_marks(self, marks: frozenset[Hashable]) -> None:
        """Draw these rows as marked."""
        if marks != self.marks:
            self.marks = marks
            self.repaint()

    def sort(self, column: Column[Row] | None, *, reverse: bool = False) -> None:
        """Sort by a column; None leaves the rows in the order in which they came."""
        self.model.sort(column, reverse=reverse)
        self._follow_cursor()

    def sort_at_last(self) -> None:
        """What the rows are to be sorted by is known now."""
        if self.model.unsorted:
            self.sort(self.model.column, reverse=self.model.reverse)

    def sort_by_title(self, title: str, *, reverse: bool) -> None:
        """Sort by the column of this title, as soon as there is one."""
        self._sort_later = (title, reverse)

    def narrow(self, wanted: Callable[[Row], bool] | None) -> None:
        """Show only the rows that are wanted; None shows all."""
        if wanted is not None or self.model.narrowed:
            self.model.narrow(wanted)
            self._follow_cursor()

    def narrow_to(self, keys: frozenset[Hashable] | None) -> None:
        """Show only the rows with these keys; None shows all."""
        if keys is not None or self.model.narrowed:
            self.model.narrow_to(keys)
            self._follow_cursor()

    def holds(self, text: str) -> Callable[[Row], bool] | None:
        """A test whether a row shows every word of `text`; None for an empty text."""
        words = text.casefold().split()
        if not words:
            return None

        def wanted(row: Row) -> bool:
            shown = " ".join(column.cell(row).plain for column in self.columns).casefold()
            return all(word in shown for word in words)

        return wanted

    def tick(self) -> None:
        """A second has passed: draw again what is told by the second, and now and then the rest."""
        self._seconds += 1
        if self._seconds % SLOWLY == 0:
            self.repaint()
        elif self.hurries is not _never:
            self._repaint_seen(self.hurries)

    def show_again(self, keys: Collection[Hashable]) -> None:
        """Draw these rows again, of those on the screen."""
        self._repaint_seen(lambda row: self.model.key(row) in keys)

    @property
    def seen(self) -> Sequence[Row]:
        """The rows on the screen."""
        top = self.scroll_offset.y
        return self.model.shown[top : top + self.page]

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.model.shown[self._cursor] if self.model.shown else None

    @property
    def shown_keys(self) -> frozenset[Hashable]:
        """The keys of all rows that are shown now."""
        return frozenset(self.model.keys(self.model.shown))

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on a row; False if that row is not shown."""
        place = self.model.index(key)
        if place is None:
            return False
        self._go(place)
        return True

    def move_by(self, rows: int) -> None:
        """Move the cursor down, or up."""
        self._go(self._cursor + rows)

    def move_to_end(self, *, last: bool) -> None:
        """Move the cursor to the first or the last row."""
        self._go(len(self.model.shown) - 1 if last else 0)

    def move_to_next(self, wanted: Callable[[Row], bool], *, back: bool = False) -> bool:
        """Move to the next row that is wanted; False if there is none that way."""
        places = range(self._cursor - 1, -1, -1) if back else range(self._cursor + 1, self._count)
        for place in places:
            if wanted(self.model.shown[place]):
                self._go(place)
                return True
        return False

    def sideways(self, cells: int) -> None:
        """Scroll the columns; the gutter stays."""
        self.scroll_to(x=self.scroll_x + cells, animate=False, force=True, immediate=True)

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or the range begun before; or take its mark away."""
        if self.row is None:
            return
        keys = self._range_keys()
        self._range_from = None
        marked = self.marks - keys if keys <= self.marks else self.marks | keys
        self.post_message(self.MarksWanted(self, marked))
        if len(keys) == 1:
            self.move_by(1)

    def begin_range(self) -> None:
        """Begin a range of rows at the cursor; `toggle_mark` marks it."""
        self._range_from = None if self._range_from is not None else self._cursor_key
        self.repaint()

    def end_range(self) -> bool:
        """Give up the range that was begun; False if there was none."""
        begun = self._range_from is not None
        self._range_from = None
        self.repaint()
        return begun

    def mark_shown(self) -> None:
        """Mark all rows that are shown."""
        marks = self.shown_keys
        self.post_message(self.MarksWanted(self, self.marks | marks if self.marks else marks))

    @property
    def _busy(self) -> bool:
        return monotonic() - self._last_key < QUIET

    @property
    def _cursor_key(self) -> Hashable | None:
        return None if self._cursor_row is None else self.model.key(self._cursor_row)

    def _range_keys(self) -> frozenset[Hashable]:
        """The rows that `space` would mark."""
        start = None if self._range_from is None else self.model.index(self._range_from)
        if start is None:
            return frozenset(() if self._cursor_key is None else (self._cursor_key,))
        first, last = sorted((start, self._cursor))
        return frozenset(self.model.keys(self.model.shown[first : last + 1]))

    def _go(self, place: int) -> None:
        if not self._count:
            self._cursor, self._cursor_row = 0, None
            return
        place = min(max(place, 0), self._count - 1)
        key = self.model.key(self.model.shown[place])
        moved = key != self._cursor_key
        before = self._cursor
        self._rests = False
        self._cursor, self._cursor_row = place, self.model.shown[place]
        self._scroll_to_cursor()
        if self._range_from is None:
            self._repaint_rows(before, place)
        else:
            self.repaint()
        if moved:
            self.post_message(self.Moved(self, self.model.shown[place]))

    def _repaint_seen(self, wanted: Callable[[Row], bool]) -> None:
        top = self.scroll_offset.y
        self._repaint_rows(*(top + y for y, row in enumerate(self.seen) if wanted(row)))

    def _repaint_rows(self, *places: int) -> None:
        """Only these rows look different."""
        if not places:
            return
        top = self.scroll_offset.y
        seen = (place - top for place in places if top <= place < top + self.page)
        self.repaint([place + self._header for place in seen])

    def _follow_cursor(self) -> None:
        """Rows came, went or moved: stay on the same row, at the same height on the screen."""
        with self.painted_once():
            self._find_cursor()

    def _find_cursor(self) -> None:
        height = self._cursor - self.scroll_offset.y
        row = self._cursor_row
        place = None if row is None else self.model.find(row, near=self._cursor)
        self._fit()
        if self._rests:
            self._go(0)
            self._rests = True
        elif place is None:
            self._go(self._cursor)
        else:
            self._cursor, self._cursor_row = place, self.model.shown[place]
            self.scroll_to(y=max(0, place - height), animate=False, force=True, immediate=True)
            self._scroll_to_cursor()
        self.repaint()

    def _scroll_to_cursor(self) -> None:
        top = self.scroll_offset.y
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True, immediate=True)
        elif self._cursor >= top + self.page:
            self.scroll_to(
                y=self._cursor - self.page + 1, animate=False, force=True, immediate=True
            )

    def _fit(self) -> None:
        """Tell the scroll view how large the whole is."""
        widths = sum(column.width for column in self.columns) + GAP * max(0, len(self.columns) - 1)
        self.virtual_size = Size(GUTTER + widths, self._count + self._reserved)

    def _take_columns(self, columns: tuple[Column[Row], ...]) -> None:
        self.columns = columns
        if self._sort_later is not None:
            title, reverse = self._sort_later
            found = [column for column in columns if column.title == title and column.order]
            if found:
                self._sort_later = None
                self.sort(found[0], reverse=reverse)
        sorted_by = self.model.column
        if sorted_by is not None and sorted_by not in columns:
            same = [column for column in columns if column.title == sorted_by.title]
            if same:
                # Its rows stay where they are: another width is no reason to change places.
                self.model.column = same[0]
            else:
                self.sort(None, reverse=self.model.reverse)
        self._fit()
        self.repaint()

    def _resort_later(self) -> None:
        if self._resort is None:
            self._resort = self.set_timer(QUIET, self._resort_now)

    def _resort_now(self) -> None:
        self._resort = None
        if self._busy:
            self._resort_later()
        else:
            self.sort(self.model.column, reverse=self.model.reverse)

    def on_focus(self) -> None:
        self._rests = False
        self._repaint_rows(self._cursor)

    def on_blur(self) -> None:
        self._rests = self._cursor == 0
        self._repaint_rows(self._cursor)

    def on_key(self) -> None:
        self._last_key = monotonic()

    def on_resize(self) -> None:
        self.forget_painted()
        self._fit()
        self._scroll_to_cursor()
        # How far it can scroll is known by the new size only after the layout.
        self.call_after_refresh(self._scroll_to_cursor)

    def on_click(self, event: events.Click) -> None:
        place = self.scroll_offset.y + event.y - self._header
        if event.y < self._header:
            self._click_header(event.x)
        elif 0 <= place < self._count and event.y < self._header + self.page:
            self._go(place)
            if event.chain > 1 and self.row is not None:
                self.post_message(self.Opened(self, self.row))

    def _click_header(self, x: int) -> None:
        right = GUTTER - self.scroll_offset.x
        for column in self.columns:
            right += column.width + GAP
            if x < right and column.order is not None:
                again = self.model.column is column
                self.sort(column, reverse=again and not self.model.reverse)
                return
