"""Where a reader is in a log: top of the view, cursor, following; no Textual in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xpm_engine.workspace.logs import LogFile, Search


class LogPosition:
    """The place in one log, kept by row, so that it stays while lines are counted or appended.

    The view has `height` screen lines; a row takes ``lines_of(row)`` of them when it is wrapped.
    With `only` the rows are those of its hits.
    """

    def __init__(self, log: LogFile, *, lines_of: Callable[[int], int]) -> None:
        self.log = log
        self.lines_of = lines_of
        self.height = 1
        self.only: Search | None = None
        self.following = True
        self.cursor = 0
        self.top = 0
        self.skipped = 0
        """Screen lines of the top row that are above the view."""
        self.range_start: int | None = None
        """The row at which a range was begun; it goes to the cursor."""
        self._seen_end = 0

    @property
    def count(self) -> int:
        """How many rows there are to move through."""
        if self.only is not None:
            return self.only.count
        return self.log.end_row - self.log.first_row

    @property
    def missed(self) -> int:
        """Lines that came since following stopped."""
        return 0 if self.following else max(self.log.end_row - self._seen_end, 0)

    @property
    def chosen(self) -> tuple[int, int]:
        """First and last row of the range, or the cursor's row twice."""
        other = self.cursor if self.range_start is None else self.range_start
        return min(other, self.cursor), max(other, self.cursor)

    def row(self, index: int) -> int:
        """The row at an index, the nearest there is."""
        index = min(max(index, 0), max(self.count - 1, 0))
        if self.only is None:
            return self.log.first_row + index
        row = self.only.row(index)
        return row if row is not None else self.log.first_row

    def index(self, row: int) -> int:
        """The index of a row, or of the next one where it is not among those shown."""
        index = row - self.log.first_row if self.only is None else self.only.rank(row)
        return min(max(index, 0), max(self.count - 1, 0))

    def visible(self) -> Iterator[tuple[int, int]]:
        """The row of each screen line, and which of its lines it is."""
        index, part = self.index(self.top), self.skipped
        shown = 0
        while shown < self.height and index < self.count:
            row = self.row(index)
            lines = self.lines_of(row)
            while part < lines and shown < self.height:
                yield row, part
                part += 1
                shown += 1
            part = 0
            index += 1

    def settle(self) -> None:
        """After lines came or went: at the end when following, else as before where that is."""
        if self.following:
            self.to_end()
            return
        self.cursor = self.row(self.index(self.cursor))
        top = self.row(self.index(self.top))
        if top != self.top:
            self.top, self.skipped = top, 0
        self._seen_end = min(self._seen_end, self.log.end_row)
        self._not_below(*self._end_top())

    def to_end(self) -> None:
        """Go to the last line and follow."""
        self.following = True
        self._seen_end = self.log.end_row
        self.cursor = self.row(self.count - 1)
        self.top, self.skipped = self._end_top()

    def stop_following(self) -> None:
        """Stay here, and count what is missed."""
        if self.following:
            self.following = False
            self._seen_end = self.log.end_row

    def move(self, by: int) -> None:
        """Move the cursor by rows; upwards it stops following."""
        if by < 0:
            self.stop_following()
        self.cursor = self.row(self.index(self.cursor) + by)
        self._show_cursor()

    def move_page(self, by: int) -> None:
        """Move the view by screen lines, the cursor with it; at either end the cursor alone."""
        before = self.top, self.skipped
        place = next((y for y, (row, _) in enumerate(self.visible()) if row == self.cursor), 0)
        self.scroll(by)
        shown = [row for row, _ in self.visible()]
        if (self.top, self.skipped) == before:
            self.move(by)
        elif shown:
            self.cursor = shown[min(place, len(shown) - 1)]

    def go_to(self, row: int) -> None:
        """Put the cursor on a row, in the middle of the view where it was outside."""
        self.stop_following()
        self.cursor = self.row(self.index(row))
        self.show_cursor()

    def put_cursor(self, row: int) -> None:
        """Put the cursor on a row that is in view."""
        if row < self.cursor:
            self.stop_following()
        self.cursor = row

    def show_cursor(self) -> None:
        """After other rows are shown than before: the cursor stays where it is, and in view."""
        self.settle()
        if self.cursor not in {shown for shown, _ in self.visible()}:
            self.top, self.skipped = self._above(self.index(self.cursor), self.height // 2)
        self._show_cursor()
        self._not_below(*self._end_top())

    def scroll(self, by: int) -> None:
        """Move the view by screen lines; the cursor stays in it."""
        if by < 0:
            self.stop_following()
            self.top, self.skipped = self._above(self.index(self.top), -by - self.skipped)
        else:
            self.top, self.skipped = self._below(by)
            self._not_below(*self._end_top())
        self._keep_cursor_in_view()

    def scroll_to(self, index: int) -> None:
        """Put the row of an index at the top."""
        row = self.row(index)
        if (self.index(row), 0) < (self.index(self.top), self.skipped):
            self.stop_following()
        self.top, self.skipped = row, 0
        self._not_below(*self._end_top())
        self._keep_cursor_in_view()

    def _keep_cursor_in_view(self) -> None:
        shown = [row for row, _ in self.visible()]
        if shown:
            self.cursor = min(max(self.cursor, shown[0]), shown[-1])

    def _show_cursor(self) -> None:
        index = self.index(self.cursor)
        tall = self.lines_of(self.cursor) >= self.height
        if tall and self.cursor in {row for row, _ in self.visible()}:
            return
        if (index, 0) < (self.index(self.top), self.skipped):
            self.top, self.skipped = self.cursor, 0
            return
        lines = self.lines_of(self.cursor)
        lowest = (
            self._above(index, self.height - lines) if lines < self.height else (self.cursor, 0)
        )
        if (self.index(self.top), self.skipped) < (self.index(lowest[0]), lowest[1]):
            self.top, self.skipped = lowest

    def _end_top(self) -> tuple[int, int]:
        last = self.count - 1
        if last < 0:
            return self.log.first_row, 0
        return self._above(last, self.height - self.lines_of(self.row(last)))

    def _not_below(self, row: int, skipped: int) -> None:
        if (self.index(self.top), self.skipped) > (self.index(row), skipped):
            self.top, self.skipped = row, skipped

    def _above(self, index: int, lines: int) -> tuple[int, int]:
        """The row and its part that is so many screen lines above the start of a row.

        With negative ``lines`` it is below the start, in the row itself.
        """
        if lines <= 0:
            return self.row(index), -lines
        while lines > 0 and index > 0:
            index -= 1
            lines -= self.lines_of(self.row(index))
        return self.row(index), max(-lines, 0)

    def _below(self, lines: int) -> tuple[int, int]:
        """The row and its part that is so many screen lines below the top."""
        index, part = self.index(self.top), self.skipped + lines
        while index < self.count - 1 and part >= (height := self.lines_of(self.row(index))):
            part -= height
            index += 1
        return self.row(index), min(part, self.lines_of(self.row(index)) - 1)
