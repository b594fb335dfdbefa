"""One stream being read: its lines, the place in it, what is looked for; no Textual in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from xpm_engine.workspace.logs import (
    TROUBLE,
    Line,
    LogEvent,
    LogFile,
    LogState,
    Query,
    Search,
    scan,
    search,
    text_query,
)
from xpm_tui.widgets.log.position import LogPosition
from xpm_tui.widgets.log.status import LogStatus, Place

MOST_COPIED = 10_000
"""Lines that are copied at most at once."""
_NO_SEARCH = "press / to look for something first"


@dataclass(frozen=True)
class LogStream:
    """A log that can be shown."""

    label: str
    """What the user calls it: ``stderr``, ``attempt 1 stdout``."""
    path: Path


@dataclass(frozen=True)
class Copy:
    """Lines taken from a log."""

    text: str
    lines: int
    left_out: int
    """Lines of the range beyond `MOST_COPIED`."""


class Jump(Enum):
    """Where to go among the hits, once enough was searched."""

    NEAREST = "the first one from here on, else the last one before"
    NEXT = "below"
    PREVIOUS = "above"
    LAST = "the last one of the log"


class Reading:
    """A stream with its reader's place; slow work is offered as slices for a thread.

    `slice` gives the next piece of work; ``take(work())`` brings its result in.
    """

    def __init__(self, stream: LogStream, *, lines_of: Callable[[int], int]) -> None:
        self.stream = stream
        self.log = LogFile(stream.path)
        self.position = LogPosition(self.log, lines_of=lines_of)
        self.find: Search | None = None
        self.needle = ""
        self.trouble: Search | None = None
        self.notice = ""
        """What happened last that the user should know, in words."""
        self.looks_with_news = 0
        """How many looks in a row found new lines."""
        self._jump: tuple[Query, Jump] | None = None
        self._open_at_trouble = False

    def open_at_trouble(self) -> None:
        """Go to the last trouble as soon as it is found."""
        self._open_at_trouble = True

    def line(self, row: int) -> Line:
        """The line of a row; empty where it is gone."""
        lines = self.log.lines(row, 1) if row >= self.log.first_row else ()
        return lines[0] if lines else Line("")

    def to_start(self) -> None:
        """Go to the first line, at once: where lines before are not counted, count from there."""
        if not self.log.numbered:
            self.log.restart(at_end=False)
        self.position.go_to(self.position.row(0))

    def to_end(self) -> None:
        """Go to the end and follow, at once as well."""
        if not self.log.caught_up:
            self.log.restart(at_end=True)
        self.position.to_end()

    def toggle_following(self) -> None:
        """Follow the end, or stay here."""
        if self.position.following:
            self.position.stop_following()
        else:
            self.to_end()

    def toggle_range(self) -> None:
        """Begin a range at the cursor, or give it up."""
        position = self.position
        position.stop_following()
        position.range_start = position.cursor if position.range_start is None else None

    def toggle_hits_only(self) -> None:
        """Show the lines that are hits, or all of them."""
        if self.find is None:
            self.notice = _NO_SEARCH
            return
        self.position.only = self.find if self.position.only is None else None
        self.position.show_cursor()

    def copy(self) -> Copy | None:
        """The text of the range, or of the cursor's line; the range is given up."""
        position = self.position
        if not position.count:
            return None
        first, last = (position.index(row) for row in position.chosen)
        end = min(last + 1, first + MOST_COPIED)
        texts = [self.line(position.row(index)).text for index in range(first, end)]
        position.range_start = None
        return Copy("\n".join(texts), lines=end - first, left_out=last + 1 - end)

    def step_back(self) -> bool:
        """Give up the range, else the search; whether there was one."""
        if self.position.range_start is not None:
            self.position.range_start = None
            return True
        if self.find is None:
            return False
        self.forget_search()
        return True

    def search_for(self, needle: str) -> None:
        """Look for a text from the cursor on; an empty one ends the search."""
        if not needle:
            self.forget_search()
            return
        self.position.only = None
        self.find = Search(self.log, text_query(needle), row=self.position.cursor)
        self.needle = needle
        self.jump_to(self.find, Jump.NEAREST)

    def jump_to_hit(self, jump: Jump) -> None:
        """Go to the next or previous hit."""
        if self.find is None:
            self.notice = _NO_SEARCH
        else:
            self.jump_to(self.find, jump)

    def forget_search(self) -> None:
        """Show all lines again, with nothing marked."""
        self.position.only = self.find = self._jump = None
        self.needle = ""
        self.position.show_cursor()

    def jump_to_trouble(self, jump: Jump) -> None:
        """Go to the next or previous line that is trouble."""
        if self.trouble is None or not self.trouble.valid:
            self.trouble = Search(self.log, TROUBLE, row=self.position.cursor)
        self.jump_to(self.trouble, jump)

    def jump_to(self, among: Search, jump: Jump) -> None:
        """Go to a hit now, or when it is found."""
        self._jump, self.notice = (among.query, jump), ""
        self._try_jump()

    def work(self) -> Callable[[], Callable[[], LogEvent | None]]:
        """A slice for any thread; what it returns is to be called where the reading lives."""
        if not self.log.complete or not (target := self._unsearched()):
            log, order = self.log, self.log.order()

            def look() -> Callable[[], LogEvent | None]:
                found = scan(order)
                return lambda: self._looked(log.apply(found))

            return look
        hits, wanted = target, target.order()

        def seek() -> Callable[[], LogEvent | None]:
            found = search(wanted)
            return lambda: self._sought(hits, lambda: hits.apply(found))

        return seek

    @property
    def busy(self) -> bool:
        """There is more to count or to search than to wait for news."""
        if self.log.state is LogState.UNREADABLE or self.log.known.source is None:
            return False
        return not self.log.complete or self._unsearched() is not None

    def _unsearched(self) -> Search | None:
        for hits in (self.find, self.trouble):
            if hits is not None and hits.valid and not hits.complete and not hits.failure:
                return hits
        return None

    def _looked(self, event: LogEvent | None) -> LogEvent | None:
        self.looks_with_news = self.looks_with_news + 1 if event is LogEvent.GREW else 0
        if event is not None and event is not LogEvent.GREW:
            self.notice = event.value
        if self.find is not None and not self.find.valid:
            self._search_again()
        if self.trouble is not None and not self.trouble.valid:
            self.trouble = Search(self.log, TROUBLE, row=self.position.cursor)
        self.position.settle()
        if self._open_at_trouble and self.log.complete:
            self._open_at_trouble = False
            self.jump_to_trouble(Jump.LAST)
        return event

    def _search_again(self) -> None:
        if self.find is None:
            return
        again = Search(self.log, self.find.query, row=self.position.cursor)
        if self.position.only is not None:
            self.position.only = again
        self.find = again

    def _sought(self, hits: Search, apply: Callable[[], None]) -> LogEvent | None:
        apply()
        if hits.failure:
            self.notice = f"the search stopped: {hits.failure}"
        if self.position.only is hits:
            self.position.settle()
        self._try_jump()
        return None

    def _try_jump(self) -> None:
        if self._jump is None:
            return
        query, jump = self._jump
        hits = next((s for s in (self.find, self.trouble) if s and s.query == query), None)
        if hits is None or not hits.valid:
            return
        row = self._hit(hits, jump)
        if row is not None:
            self._jump = None
            self.position.go_to(row)
        elif hits.complete or hits.failure:
            self._jump = None
            self.notice = _nothing(hits, jump)

    def _hit(self, hits: Search, jump: Jump) -> int | None:
        cursor = self.position.cursor
        if jump is Jump.NEXT:
            return hits.after(cursor)
        if jump is Jump.PREVIOUS:
            return hits.before(cursor)
        if jump is Jump.LAST:
            return hits.before(self.log.end_row) if hits.reached_end else None
        below = hits.after(cursor - 1)
        return below if below is not None or not hits.reached_end else hits.before(cursor)


def _nothing(hits: Search, jump: Jump) -> str:
    what = "error" if hits.query == TROUBLE else "hit"
    if not hits.count:
        return f"no {what} in this log"
    return f"no {what} further {'down' if jump is Jump.NEXT else 'up'}"


def status_of(readings: Sequence[Reading], current: int, *, wrap: bool, live: bool) -> LogStatus:
    """What there is to say about the streams and the place in the one on screen."""
    reading = readings[current]
    log, position = reading.log, reading.position
    first, last = position.chosen
    return LogStatus(
        labels=tuple(other.stream.label for other in readings),
        line_counts=tuple(_line_count(other.log) for other in readings),
        current=current,
        line=log.number(position.cursor) if position.count else None,
        lines=_line_count(log),
        error=_place(reading.trouble, position.cursor),
        needle=reading.needle,
        hits=_place(reading.find, position.cursor),
        hits_only=position.only is not None,
        chosen=last - first + 1 if position.range_start is not None else 0,
        following=position.following,
        missed=position.missed,
        wrap=wrap,
        size=log.size,
        live=live,
        problem=log.words,
        notice=reading.notice,
    )


def _line_count(log: LogFile) -> int | None:
    return log.end_row - log.first_row if log.complete else None


def _place(search: Search | None, row: int) -> Place | None:
    if search is None or not search.valid:
        return None
    return Place(search.position(row), search.count, more=not search.complete)
