"""A curve drawn with the dots of braille characters: two dots a cell across, four down."""

from __future__ import annotations

import math
from collections.abc import Sequence

DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of each dot of a braille character: by column, then from the top."""

BLANK = 0x2800

HUGE = 1e300
"""Larger numbers are drawn as this one, so that their distance stays finite."""


def plot(points: Sequence[tuple[float, float]], width: int, height: int) -> list[str]:
    """The points, as `height` lines of `width` cells; the highest value touches the top.

    Points are joined in the order of their first coordinate; one that is not finite breaks the
    line. Where many fall into one column of dots, the column shows all they span.
    """
    rows, columns = 4 * height, 2 * width
    grid = [[BLANK] * width for _ in range(height)]
    known = [(_bound(x), _bound(y)) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    if not known or width < 1 or height < 1:
        return ["".join(map(chr, line)) for line in grid]
    left, right = min(x for x, _ in known), max(x for x, _ in known)
    low, high = min(y for _, y in known), max(y for _, y in known)

    def place(value: float, first: float, last: float, count: int) -> int:
        return round((value - first) / (last - first) * (count - 1)) if last > first else 0

    before: tuple[int, int] | None = None
    for x, y in sorted(points, key=lambda point: _bound(point[0]) if point[0] == point[0] else 0.0):
        if not (math.isfinite(x) and math.isfinite(y)):
            before = None
            continue
        column = place(_bound(x), left, right, columns)
        row = rows - 1 - place(_bound(y), low, high, rows)
        for dot_column, dot_row in _between(before or (column, row), (column, row)):
            bit = DOTS[dot_column % 2][dot_row % 4]
            grid[dot_row // 4][dot_column // 2] |= bit
        before = (column, row)
    return ["".join(map(chr, line)) for line in grid]


def _between(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots of the line from one to the other, both included."""
    across, down = end[0] - start[0], end[1] - start[1]
    steps = max(abs(across), abs(down), 1)
    return [
        (start[0] + round(across * step / steps), start[1] + round(down * step / steps))
        for step in range(steps + 1)
    ]


def _bound(value: float) -> float:
    return min(max(value, -HUGE), HUGE)
