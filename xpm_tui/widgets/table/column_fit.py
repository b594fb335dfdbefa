"""Columns in the width there is: some give way so that what matters most is never cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xpm_tui.widgets.table.lines import GAP, GUTTER
from xpm_tui.widgets.table.model import Column, Row

LOOKED_AT = 60
"""Rows whose cells decide how wide a column is."""


def measure(
    columns: Sequence[Column[Row]], rows: Sequence[Row], before: Sequence[Column[Row]] = ()
) -> tuple[Column[Row], ...]:
    """Each column that may be wider than it is, as wide as its cells in the first rows.

    One that was shown `before` does not become narrower: what is read should not dance. One that
    grows wishes for as much as its cells need.
    """
    known = {column.title: column.width for column in before}
    wished = {column.title: column.wish for column in before}
    found: list[Column[Row]] = []
    for column in columns:
        if column.widest > column.width:
            cells = (column.cell(row).cell_len for row in rows[:LOOKED_AT])
            wide = max(cells, default=0)
            width = max(column.width, min(column.widest, wide), known.get(column.title, 0))
            column = replace(column, width=width)  # noqa: PLW2901
            if column.grows:
                wish = max(wide, wished.get(column.title, 0))
                column = replace(column, wish=wish)  # noqa: PLW2901
        found.append(column)
    return tuple(found)


def fit(columns: Sequence[Column[Row]], width: int) -> tuple[Column[Row], ...]:
    """The columns for this width; the one with the lowest `yields` gives way first.

    It takes its narrower form, if it has one; else it goes behind the others, where scrolling
    sideways still finds it. What is left over goes to those that wish for it, to one that `grows`
    first, and at last to the last of these.
    """
    shown, behind = list(columns), list[Column[Row]]()
    while _used(shown) > width:
        yielding = [column for column in shown if column.yields]
        if not yielding:
            break
        first = min(yielding, key=lambda column: column.yields)
        place = shown.index(first)
        if first.narrower is not None:
            shown[place] = replace(first.narrower, wish=first.wish)
        else:
            behind.append(shown.pop(place))
    for place, column in sorted(enumerate(shown), key=lambda each: not each[1].grows):
        more = min(column.wish - column.width, width - _used(shown))
        if more > 0:
            shown[place] = replace(column, width=column.width + more)
    growing = [place for place, column in enumerate(shown) if column.grows]
    left = width - _used(shown)
    if growing and left > 0:
        place = growing[-1]
        shown[place] = replace(shown[place], width=shown[place].width + left)
    return (*shown, *behind)


def _used(columns: Sequence[Column[Row]]) -> int:
    return GUTTER + sum(column.width for column in columns) + GAP * max(0, len(columns) - 1)
