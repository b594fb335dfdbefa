"""What the keys do in a table: the `do_…` that the table of actions looks for."""

from __future__ import annotations

from collections.abc import Callable

from xpm_tui.widgets.table.model import Row
from xpm_tui.widgets.table.table import Table

SIDEWAYS = 8
"""Cells that one key scrolls sideways."""


_MARKING = frozenset(("mark", "mark_range", "mark_all"))
_TROUBLE = frozenset(("next_trouble", "previous_trouble"))
_SORTING = frozenset(("sort", "sort_reverse"))
_OF_ROWS = _MARKING | _TROUBLE | _SORTING | {"open", "columns"}


class KeyTable(Table[Row]):
    """A table that is worked with keys."""

    trouble: Callable[[Row], bool] | None = None
    """Which rows `e` goes to; None: there are none to go to."""
    markable = True

    @property
    def idle(self) -> frozenset[str]:
        """The actions that find nothing to do in these rows."""
        if self.row is None:
            return _OF_ROWS
        idle: frozenset[str] = frozenset()
        if not self.markable:
            idle |= _MARKING
        if self.trouble is None:
            idle |= _TROUBLE
        if len(self.model.shown) < 2 or not self.sortable:
            idle |= _SORTING
        return idle

    @property
    def sortable(self) -> bool:
        """Whether there is a column to sort by."""
        return any(column.order is not None for column in self.columns)

    def do_down(self) -> None:
        self.move_by(1)

    def do_up(self) -> None:
        self.move_by(-1)

    def do_first(self) -> None:
        self.move_to_end(last=False)

    def do_last(self) -> None:
        self.move_to_end(last=True)

    def do_page_down(self) -> None:
        self.move_by(self.page)

    def do_page_up(self) -> None:
        self.move_by(-self.page)

    def do_half_down(self) -> None:
        self.move_by(max(1, self.page // 2))

    def do_half_up(self) -> None:
        self.move_by(-max(1, self.page // 2))

    def do_deeper(self) -> None:
        self.sideways(SIDEWAYS)

    def do_shallower(self) -> None:
        self.sideways(-SIDEWAYS)

    def do_open(self) -> None:
        if self.row is not None:
            self.post_message(self.Opened(self, self.row))

    def do_mark(self) -> None:
        self._mark(self.toggle_mark)

    def do_mark_range(self) -> None:
        self._mark(self.begin_range)

    def do_mark_all(self) -> None:
        self._mark(self.mark_shown)

    def _mark(self, mark: Callable[[], None]) -> None:
        if self.markable:
            mark()
        else:
            self.notify("these rows can't be marked", markup=False, timeout=2)

    def do_sort(self) -> None:
        """By the next column that can be sorted by, after the last in the rows' own order."""
        choices = [None, *(column for column in self.columns if column.order is not None)]
        titles = [None if choice is None else choice.title for choice in choices]
        now = None if self.model.column is None else self.model.column.title
        place = titles.index(now) if now in titles else 0
        self.sort(choices[(place + 1) % len(choices)])

    def do_sort_reverse(self) -> None:
        self.sort(self.model.column, reverse=not self.model.reverse)

    def do_back(self) -> bool:
        """Give up the range that was begun; False if there was none."""
        return self.end_range()

    def do_next_hit(self) -> None:
        self.notify("every row shown is a hit", markup=False, timeout=2)

    def do_previous_hit(self) -> None:
        self.do_next_hit()

    def do_next_trouble(self) -> None:
        self._to_trouble(back=False)

    def do_previous_trouble(self) -> None:
        self._to_trouble(back=True)

    def _to_trouble(self, *, back: bool) -> None:
        if self.trouble is None or not self.move_to_next(self.trouble, back=back):
            where = "before" if back else "after"
            self.notify(f"no row in trouble {where} this one", markup=False, timeout=2)
