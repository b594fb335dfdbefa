"""One bounded slice of reading: look at the file, count line ends; run in any thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from xpm_engine.workspace.logs.source import Bounds, Known, LogState, Sighting, look_at

Clock = Callable[[], float]


@dataclass(frozen=True)
class ScanOrder:
    """What to count next, as the owner of the counts knows it."""

    path: Path
    bounds: Bounds
    generation: int
    known: Known
    anchored: bool
    """False: nothing is counted yet, choose a page to start from."""
    at_end: bool
    """Where to start from when nothing is counted: at the end, or at page 0."""
    lo: int
    hi: int
    budget: float
    """Seconds this slice may take; at least one page is counted."""


@dataclass(frozen=True)
class PageCount:
    """Line ends and carriage returns of one page."""

    newlines: int
    returns: int


@dataclass(frozen=True)
class Scan:
    """What a slice found."""

    generation: int
    sighting: Sighting
    anchor: int | None = None
    """A new page to count from; everything counted before is void."""
    resume: int = 0
    """The page that ``forward`` starts at (the last page, partial when counted, comes again)."""
    forward: tuple[PageCount, ...] = ()
    ahead: tuple[PageCount, ...] = ()
    """Pages before those counted so far, nearest first."""


def last_page(size: int, bounds: Bounds) -> int:
    """The page that holds the last byte."""
    return max(size - 1, 0) // bounds.page


def pages(size: int, bounds: Bounds) -> int:
    """How many pages a file of this size has."""
    return -(-size // bounds.page)


def scan(order: ScanOrder, *, clock: Clock = time.monotonic) -> Scan:
    """Look at the file again and count for a while: what was appended first, then backwards."""
    deadline = clock() + order.budget
    sighting = look_at(order.path, order.known)
    known, bounds = sighting.known, order.bounds
    if known.source is None:
        return Scan(order.generation, sighting)
    read, size = known.source.read, known.size
    anchor: int | None = None
    if sighting.fresh or not order.anchored:
        anchor = last_page(size, bounds) if order.at_end else 0
        lo = resume = anchor
    else:
        lo, resume = order.lo, order.hi
        if size != order.known.size:
            resume = max(min(resume, order.known.size // bounds.page), lo)
    end = pages(size, bounds)

    def count(numbers: Iterable[int]) -> tuple[PageCount, ...]:
        counts: list[PageCount] = []
        for page in numbers:
            data = read(page * bounds.page, min((page + 1) * bounds.page, size))
            counts.append(PageCount(data.count(b"\n"), data.count(b"\r")))
            if clock() >= deadline:
                break
        return tuple(counts)

    try:
        forward = count(range(resume, end))
        ahead: tuple[PageCount, ...] = ()
        if resume + len(forward) == end:
            ahead = count(range(lo - 1, -1, -1))
    except OSError as error:
        words = f"{order.path} cannot be read: {error.strerror or error}"
        return Scan(order.generation, Sighting(LogState.UNREADABLE, words, known=order.known))
    return Scan(order.generation, sighting, anchor, resume, forward, ahead)
