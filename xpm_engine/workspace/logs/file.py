"""A log of any size, line by line: only what is asked for is read."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from xpm_engine.workspace.logs.scan import Scan, ScanOrder, last_page, pages, scan
from xpm_engine.workspace.logs.source import Bounds, Known, LogEvent, LogState
from xpm_engine.workspace.logs.tally import Tally
from xpm_engine.workspace.logs.text import Line, clean, edge_returns, last_writing, shown_of_long

_CACHED_PAGES = 4
_SLICE = 0.05


class LogFile:
    """The lines of a file that may be huge, growing, truncated, replaced, or not there yet.

    Belongs to one thread. The slow part, counting lines, is done by `scan`, a pure function
    that any thread may run: ``log.apply(scan(log.order()))`` advances by one slice. The first
    slice shows the end of the file; later ones count backwards to its start.

    A line is known by its *row*, which stays the same however much is counted or appended, until
    `generation` changes. Rows are ``first_row … end_row - 1``; `number` gives the line number.
    """

    def __init__(self, path: Path, *, bounds: Bounds | None = None) -> None:
        self.path = path
        self.bounds = bounds or Bounds()
        self.state: LogState = LogState.UNKNOWN
        self.words = ""
        """Why there is nothing to read, or why no more is."""
        self.generation = 0
        """Changes when rows lose their meaning: truncation, rotation, `restart`."""
        self._known = Known()
        self._at_end = True
        self._newlines: Tally | None = None
        self._returns: Tally | None = None
        self._pages: OrderedDict[int, _Page] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes at the last look."""
        return self._known.size

    @property
    def complete(self) -> bool:
        """Every line up to `size` is counted, so that numbers are known."""
        return self.numbered and self.caught_up

    @property
    def caught_up(self) -> bool:
        """The lines are counted up to `size`, though perhaps not from the start."""
        return self._newlines is None or self._reaches_end(self._newlines)

    @property
    def numbered(self) -> bool:
        """Lines are counted from the start of the file, though perhaps not to its end."""
        return self._newlines is not None and self._newlines.lo == 0

    @property
    def first_row(self) -> int:
        """The first row that is known."""
        return self._newlines.first if self._newlines is not None else 0

    @property
    def end_row(self) -> int:
        """The row after the last that is known; an unfinished last line counts."""
        newlines = self._newlines
        if newlines is None:
            return 0
        unfinished = self.size > 0 and self._known.mark[-1:] != b"\n"
        return newlines.end + (unfinished and self.caught_up)

    @property
    def finished_row(self) -> int:
        """The row after the last that ends with a line end: what is before cannot change."""
        return self._newlines.end if self._newlines is not None else 0

    def number(self, row: int) -> int | None:
        """Line number, from 1; None while the lines before are not counted."""
        return row - self.first_row + 1 if self.numbered else None

    def order(self, *, budget: float = _SLICE) -> ScanOrder:
        """What `scan` is to do next."""
        newlines = self._newlines
        lo, hi = (newlines.lo, newlines.hi) if newlines is not None else (0, 0)
        return ScanOrder(
            path=self.path,
            bounds=self.bounds,
            generation=self.generation,
            known=self._known,
            anchored=newlines is not None,
            at_end=self._at_end,
            lo=lo,
            hi=hi,
            budget=budget,
        )

    def apply(self, found: Scan) -> LogEvent | None:
        """Take over what `scan` found; says what happened to the file, once."""
        if found.generation != self.generation:
            return None
        sighting = found.sighting
        event = sighting.event
        if self.state is LogState.UNKNOWN or (sighting.words and sighting.state is self.state):
            event = None
        self.state, self.words = sighting.state, sighting.words
        if found.anchor is not None:
            if self._newlines is not None:
                self.generation += 1
            self._newlines, self._returns = Tally(found.anchor), Tally(found.anchor)
            self._pages.clear()
        self._known = sighting.known
        newlines, returns = self._newlines, self._returns
        if newlines is not None and returns is not None and (found.forward or found.ahead):
            newlines.forget_from(found.resume)
            returns.forget_from(found.resume)
            newlines.extend([count.newlines for count in found.forward])
            returns.extend([count.returns for count in found.forward])
            newlines.extend_ahead([count.newlines for count in found.ahead])
            returns.extend_ahead([count.returns for count in found.ahead])
        return event

    def refresh(self) -> tuple[LogEvent, ...]:
        """Look at the file now and count all of it, in this thread."""
        events: list[LogEvent] = []
        while True:
            event = self.apply(scan(self.order(budget=_SLICE)))
            if event is not None:
                events.append(event)
            if self.complete or self._known.source is None or self.state is LogState.UNREADABLE:
                return tuple(events)

    def restart(self, *, at_end: bool) -> None:
        """Count anew from one end, to be there at once when the file is not counted yet."""
        self.generation += 1
        self._at_end = at_end
        self._newlines = self._returns = None
        self._pages.clear()

    def lines(self, first: int, count: int) -> tuple[Line, ...]:
        """The lines of these rows, fewer where there are no more."""
        last = min(first + count, self.end_row)
        return tuple(self._line(row) for row in range(max(first, self.first_row), last))

    def span(self, row: int) -> tuple[int, int]:
        r"""Where the bytes of a known row start and end, without its ``\n``."""
        newlines = self._tally()
        start = newlines.lo * self.bounds.page
        if row > newlines.first:
            start = self._newline(row - 1) + 1
        end = self._newline(row) if row < newlines.end else self.size
        return start, max(start, end)

    def page_of_row(self, row: int) -> int:
        """The page in which a known row starts."""
        return min(self.span(row)[0] // self.bounds.page, last_page(self.size, self.bounds))

    def row_of_page(self, page: int) -> int:
        """The first row that starts in a page, or would, were there one."""
        newlines = self._tally()
        start = page * self.bounds.page
        begins = start == 0 or self.read(start - 1, start) == b"\n"
        return newlines.before(page) + (not begins)

    def read(self, start: int, end: int) -> bytes:
        """Bytes of the file, fewer where it ends or fails; what failed is in `words`."""
        source = self._known.source
        if source is None:
            return b""
        try:
            return source.read(start, end)
        except OSError as error:
            self.state = LogState.UNREADABLE
            self.words = f"{self.path} cannot be read: {error.strerror or error}"
            return b""

    @property
    def known(self) -> Known:
        """The open file and its size, for a search."""
        return self._known

    def _tally(self) -> Tally:
        return self._newlines if self._newlines is not None else Tally(0)

    def _reaches_end(self, newlines: Tally) -> bool:
        return newlines.hi >= pages(self.size, self.bounds)

    def _line(self, row: int) -> Line:
        start, end = self.span(row)
        limit = self.bounds.line
        if end - start <= limit:
            raw, rewrites = last_writing(self._bytes(start, end))
            text, spans = clean(raw)
            return Line(text, spans, rewrites)
        head = self.read(start, start + limit)
        shown, cut_front = shown_of_long(head, lambda: self.read(end - limit, end))
        text, spans = clean(shown, cut=not cut_front)
        rewrites = 0
        if cut_front:
            rewrites = self._returns_in(start, end) - edge_returns(
                head, self.read(end - limit, end)
            )
        return Line(text, spans, rewrites, 0 if rewrites else end - start - limit)

    def _bytes(self, start: int, end: int) -> bytes:
        """A short stretch, from the cached page where it lies in one."""
        page = start // self.bounds.page
        offset = page * self.bounds.page
        if end > offset + self.bounds.page:
            return self.read(start, end)
        return self._page(page).data[start - offset : end - offset]

    def _newline(self, number: int) -> int:
        """Where the line end of this number is."""
        page = self._tally().page_of(number)
        ends = self._page(page).line_ends()
        index = number - self._tally().before(page)
        start = page * self.bounds.page
        if index >= len(ends):
            # The file was truncated since it was counted; the next look will say so.
            return min(start + self.bounds.page, self.size)
        return start + ends[index]

    def _returns_in(self, start: int, end: int) -> int:
        return self._returns_before(end) - self._returns_before(start)

    def _returns_before(self, position: int) -> int:
        returns = self._returns
        page, rest = divmod(position, self.bounds.page)
        if returns is None:
            return 0
        before = returns.before(min(max(page, returns.lo), returns.hi))
        return before + (self._page(page).data.count(b"\r", 0, rest) if rest else 0)

    def _page(self, page: int) -> _Page:
        start = page * self.bounds.page
        length = min(self.bounds.page, self.size - start)
        cached = self._pages.get(page)
        if cached is None or len(cached.data) < length:
            cached = _Page(self.read(start, start + length), grown_from=cached)
            self._pages[page] = cached
            if len(self._pages) > _CACHED_PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(page)
        return cached


class _Page:
    """The bytes of a page near the lines on screen, and where its lines end."""

    def __init__(self, data: bytes, *, grown_from: _Page | None = None) -> None:
        """`grown_from` is what was read of it before: the ends of its lines are known."""
        self.data = data
        self._ends: list[int] | None = None
        self._known: tuple[int, list[int]] = (0, [])
        if grown_from is not None and data.startswith(grown_from.data):
            self._known = (len(grown_from.data), grown_from.line_ends())

    def line_ends(self) -> list[int]:
        if self._ends is None:
            size, known = self._known
            ends = known.copy()
            at = self.data.find(b"\n", size)
            while at >= 0:
                ends.append(at)
                at = self.data.find(b"\n", at + 1)
            self._ends = ends
        return self._ends
