"""Hits in a log: counted page by page in slices, found from any line in both directions."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from xpm_engine.workspace.logs.file import LogFile
from xpm_engine.workspace.logs.query import Query, hits
from xpm_engine.workspace.logs.scan import Clock, pages
from xpm_engine.workspace.logs.source import Bounds, Known, Read
from xpm_engine.workspace.logs.tally import Tally
from xpm_engine.workspace.logs.text import shown_of_long

_CACHED_PAGES = 4
_SLICE = 0.05
_GROWING_PAGES = 64
"""How far back an unfinished line is searched again when it grows: a bound on repeated work."""


@dataclass(frozen=True)
class SearchOrder:
    """Which pages to search next."""

    query: Query
    bounds: Bounds
    generation: int
    known: Known
    lo: int
    hi: int
    budget: float
    """Seconds this slice may take; at least one page is searched."""


@dataclass(frozen=True)
class Found:
    """Hits a page, of the pages after and before those searched so far, nearest first."""

    generation: int
    searched: int
    """Bytes of the file when it was searched."""
    resume: int
    forward: tuple[int, ...] = ()
    ahead: tuple[int, ...] = ()
    failure: str = ""


def search(order: SearchOrder, *, clock: Clock = time.monotonic) -> Found:
    """Search for a while; a pure function that any thread may run."""
    source, size, bounds = order.known.source, order.known.size, order.bounds
    if source is None:
        return Found(order.generation, 0, order.hi)
    deadline = clock() + order.budget
    end = pages(size, bounds)

    def count(numbers: Iterable[int]) -> tuple[int, ...]:
        counts: list[int] = []
        for page in numbers:
            if counts and clock() >= deadline:
                break
            lines = own_lines(source.read, page, size, bounds)
            counts.append(len(hits(lines, order.query, line_limit=bounds.line)))
        return tuple(counts)

    try:
        forward = count(range(order.hi, end))
        ahead = count(range(order.lo - 1, -1, -1)) if order.hi + len(forward) == end else ()
    except OSError as error:
        return Found(order.generation, size, order.hi, failure=error.strerror or str(error))
    return Found(order.generation, size, order.hi, forward, ahead)


def own_lines(read: Read, page: int, size: int, bounds: Bounds) -> bytes:
    r"""The lines that start in a page, whole, or as much as is shown of a very long last one."""
    start, stop = page * bounds.page, min((page + 1) * bounds.page, size)
    base = max(start - 1, 0)
    data = read(base, min(stop + bounds.line, size))
    own = stop - base
    begin = data.find(b"\n", 0, own - 1) + 1 if start else 0
    if start and not begin:
        return b""
    if stop == size or data[own - 1 : own] == b"\n":
        return data[begin:own]
    line_end = data.find(b"\n", own)
    if line_end >= 0 or base + len(data) >= size:
        return data[begin : line_end if line_end >= 0 else None]
    last = data.rfind(b"\n", 0, own) + 1
    head = data[last : last + bounds.line]

    def tail() -> bytes:
        end = _line_end(read, base + len(data), size, bounds)
        return read(end - bounds.line, end)

    return data[begin:last] + shown_of_long(head, tail)[0]


def _line_end(read: Read, at: int, size: int, bounds: Bounds) -> int:
    while at < size:
        data = read(at, min(at + bounds.page, size))
        found = data.find(b"\n")
        if found >= 0:
            return at + found
        if not data:
            break
        at += len(data)
    return min(at, size)


class Search:
    """The hits of one query in one log, by row; belongs to the thread of its log.

    ``s.apply(search(s.order()))`` advances by one slice; it starts near the row, goes on to the
    end, then backwards to the start. The log should be `LogFile.complete` when it is searched.
    """

    def __init__(self, log: LogFile, query: Query, *, row: int) -> None:
        self.log = log
        self.query = query
        self._generation = log.generation
        self._searched = 0
        self._row = row
        self._unsettled = 0
        """The page in which the unfinished last line starts: it may become another hit or none."""
        self._tally: Tally | None = None
        self._rows: OrderedDict[tuple[int, int], tuple[int, ...]] = OrderedDict()
        self.failure = ""

    @property
    def valid(self) -> bool:
        """The log's rows still are those that were searched."""
        return self._generation == self.log.generation

    @property
    def complete(self) -> bool:
        """The whole file, as long as it was at the last look, was searched."""
        tally = self._tally
        return (
            tally is not None
            and tally.lo == 0
            and tally.hi >= pages(self.log.size, self.log.bounds)
            and self._searched == self.log.size
        )

    @property
    def count(self) -> int:
        """Lines that are hits, of those searched so far."""
        return self._tally.end - self._tally.first if self._tally is not None else 0

    @property
    def fraction(self) -> float:
        """Which part of the file was searched, 0 to 1."""
        total = pages(self.log.size, self.log.bounds)
        if self._tally is None or total == 0:
            return 1.0 if self.complete else 0.0
        return min((self._tally.hi - self._tally.lo) / total, 1.0)

    def order(self, *, budget: float = _SLICE) -> SearchOrder:
        """What `search` is to do next."""
        tally = self._counts()
        if self._searched != self.log.size:
            tally.forget_from(self._unsettled)
            self._rows.clear()
        return SearchOrder(
            query=self.query,
            bounds=self.log.bounds,
            generation=self._generation,
            known=self.log.known,
            lo=tally.lo,
            hi=tally.hi,
            budget=budget,
        )

    def apply(self, found: Found) -> None:
        """Take over what `search` found."""
        if found.generation != self._generation or not self.valid:
            return
        tally = self._counts()
        if found.resume != tally.hi:
            return
        tally.extend(found.forward)
        tally.extend_ahead(found.ahead)
        self._searched = found.searched
        last = max(found.searched - 1, 0) // self.log.bounds.page
        start = self._page_of(self.log.finished_row)
        self._unsettled = max(min(start, last), last - _GROWING_PAGES)
        self.failure = found.failure

    def run(self) -> None:
        """Search all of the log as it is known, in this thread."""
        while not self.complete and not self.failure:
            self.apply(search(self.order()))

    def after(self, row: int) -> int | None:
        """The next hit below a row, as far as was searched."""
        return self._beyond(row, forward=True)

    def before(self, row: int) -> int | None:
        """The next hit above a row, as far as was searched."""
        return self._beyond(row, forward=False)

    def position(self, row: int) -> int | None:
        """Which hit a row is, from 1; None if it is none or is not searched yet."""
        page = self._page_of(row)
        rows = self._rows_of(page)
        if row not in rows:
            return None
        return self._counts().before(page) - self._counts().first + rows.index(row) + 1

    def row(self, index: int) -> int | None:
        """The row of a hit, by its index from 0 among those known; None if there is none."""
        tally = self._counts()
        number = tally.first + index
        if not tally.first <= number < tally.end:
            return None
        page = tally.page_of(number)
        rows = self._rows_of(page)
        return rows[min(number - tally.before(page), len(rows) - 1)] if rows else None

    def rank(self, row: int) -> int:
        """How many of the hits known are above a row."""
        tally = self._counts()
        page = min(max(self._page_of(row), tally.lo), tally.hi)
        here = sum(hit < row for hit in self._rows_of(page))
        return tally.before(page) - tally.first + here

    @property
    def reached_end(self) -> bool:
        """Everything below where it started was searched."""
        return self._counts().hi >= pages(self.log.size, self.log.bounds)

    def _beyond(self, row: int, *, forward: bool) -> int | None:
        tally = self._counts()
        page = self._page_of(row)
        here = [hit for hit in self._rows_of(page) if (hit > row if forward else hit < row)]
        if here:
            return here[0] if forward else here[-1]
        if not tally.lo <= page < tally.hi:
            return None
        if forward:
            number = tally.before(min(max(page + 1, tally.lo), tally.hi))
            return self.row(number - tally.first)
        number = tally.before(min(max(page, tally.lo), tally.hi)) - 1
        return self.row(number - tally.first) if number >= tally.first else None

    def _page_of(self, row: int) -> int:
        row = min(max(row, self.log.first_row), max(self.log.end_row - 1, self.log.first_row))
        return self.log.page_of_row(row)

    def _rows_of(self, page: int) -> tuple[int, ...]:
        """The hits of a page; found again when asked, as only their number is kept."""
        tally = self._counts()
        if not tally.lo <= page < tally.hi:
            return ()
        key = (page, self.log.size)
        rows = self._rows.get(key)
        if rows is None:
            lines = own_lines(self.log.read, page, self.log.size, self.log.bounds)
            first = self.log.row_of_page(page)
            found = hits(lines, self.query, line_limit=self.log.bounds.line)
            rows = self._rows[key] = tuple(first + number for number in found)
            if len(self._rows) > _CACHED_PAGES:
                self._rows.popitem(last=False)
        self._rows.move_to_end(key)
        return rows

    def _counts(self) -> Tally:
        if self._tally is None:
            self._tally = Tally(self._page_of(self._row) if self.log.end_row else 0)
        return self._tally
