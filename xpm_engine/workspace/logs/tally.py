"""How many of something (line ends, hits) each page of a file holds."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence


class Tally:
    """Counts of consecutive pages, grown both ways from an anchor page.

    Things are numbered from the anchor: 0 is the first one at or after it, -1 the last before it.
    So a number once given stays, whatever is counted in front of it later. Sixteen bytes a page.
    """

    def __init__(self, anchor: int) -> None:
        self.anchor = anchor
        self._after = array("q", [0])
        self._ahead = array("q", [0])

    @property
    def lo(self) -> int:
        """First page counted."""
        return self.anchor - len(self._ahead) + 1

    @property
    def hi(self) -> int:
        """Page after the last one counted."""
        return self.anchor + len(self._after) - 1

    @property
    def first(self) -> int:
        """Number of the first thing counted."""
        return self.before(self.lo)

    @property
    def end(self) -> int:
        """One more than the number of the last thing counted."""
        return self.before(self.hi)

    def extend(self, counts: Sequence[int]) -> None:
        """Add the counts of pages ``hi``, ``hi + 1``, …"""
        for count in counts:
            self._after.append(self._after[-1] + count)

    def extend_ahead(self, counts: Sequence[int]) -> None:
        """Add the counts of pages ``lo - 1``, ``lo - 2``, …"""
        for count in counts:
            self._ahead.append(self._ahead[-1] + count)

    def forget_from(self, page: int) -> None:
        """Drop the counts of ``page`` and of those after it, as far as the anchor."""
        del self._after[max(page - self.anchor, 0) + 1 :]

    def before(self, page: int) -> int:
        """Number of the first thing at or after the start of a page in ``lo … hi``."""
        if page >= self.anchor:
            return self._after[page - self.anchor]
        return -self._ahead[self.anchor - page]

    def page_of(self, number: int) -> int:
        """The page that holds the thing of this number (``first <= number < end``)."""
        if number >= 0:
            return self.anchor + bisect_right(self._after, number) - 1
        return self.anchor - bisect_right(self._ahead, -number - 1)
