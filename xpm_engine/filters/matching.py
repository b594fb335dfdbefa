"""Whether a value is what a test asks for; whole columns at once where that is quicker."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from xpm_engine.filters.columns import Cell, Column, Scalar, is_nan, text_of
from xpm_engine.filters.patterns import LOOKED_AT
from xpm_engine.filters.values import Bounds


@dataclass(frozen=True)
class Matcher:
    """What a value may be: any of these is enough."""

    bounds: tuple[Bounds, ...] = ()
    """Numbers in one of these intervals; true and false are no numbers."""
    nan: bool = False
    whole: frozenset[str] = frozenset()
    """These texts, with no difference of case."""
    parts: tuple[str, ...] = ()
    """Texts that hold one of these."""
    booleans: frozenset[bool] = frozenset()
    null: bool = False
    absent: bool = False
    """Whether cells without a value match as well: of a field, that is what ``none`` means."""
    pattern: re.Pattern[str] | None = None

    def verdicts(self, column: Column) -> bytes:
        """1 for each of the column's values that matches, 0 for the others."""
        if column.numeric and self.pattern is None:
            return self._of_numbers(cast("Sequence[float]", column.values))
        if column.numeric:
            return bytes([not is_nan(cell) and self.matches(cell) for cell in column.values])
        texts = None if self.null or self.absent else column.texts
        if texts is None:
            return bytes([self.matches(cell) for cell in column.values])
        if self.pattern is not None:
            search = self.pattern.search
            return bytes(
                [type(cell) is str and bool(search(cell[:LOOKED_AT])) for cell in column.values]
            )
        if not self.whole and len(self.parts) == 1:
            (part,) = self.parts
            return bytes([text is not None and part in text for text in texts])
        whole, parts = self.whole, self.parts
        return bytes(
            [
                text is not None and (text in whole or any(part in text for part in parts))
                for text in texts
            ]
        )

    def matches(self, cell: Cell) -> bool:
        """Whether one of the cell's values matches."""
        if isinstance(cell, tuple):
            return any(map(self._one, cell)) if cell else self.absent
        return self._one(cell)

    def _one(self, value: Scalar) -> bool:
        if self.pattern is not None:
            return value is not None and bool(self.pattern.search(text_of(value)[:LOOKED_AT]))
        if isinstance(value, str):
            text = value.casefold()
            return text in self.whole or any(part in text for part in self.parts)
        if value is None:
            return self.null
        if isinstance(value, bool):
            return value in self.booleans
        return any(bounds.hold(value) for bounds in self.bounds) or (self.nan and is_nan(value))

    def _of_numbers(self, values: Sequence[float]) -> bytes:
        """As `matches`, for int and float alone, where NaN stands for no value."""
        if self.absent or len(self.bounds) != 1:
            absent = self.absent
            hold = [bounds.hold for bounds in self.bounds]
            return bytes([any(h(v) for h in hold) or (absent and is_nan(v)) for v in values])
        (bounds,) = self.bounds
        low, high = bounds.low, bounds.high
        if high == math.inf and not bounds.high_open:
            if bounds.low_open:
                return bytes([value > low for value in values])
            return bytes([value >= low for value in values])
        if low == -math.inf and not bounds.low_open:
            if bounds.high_open:
                return bytes([value < high for value in values])
            return bytes([value <= high for value in values])
        if not bounds.low_open and not bounds.high_open:
            return bytes([low <= value <= high for value in values])
        return bytes(map(bounds.hold, values))
