"""Which columns give way first, and that nothing is lost."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from xpm_tui.widgets.table.column_fit import fit, measure
from xpm_tui.widgets.table.lines import GAP, GUTTER
from xpm_tui.widgets.table.model import Column


def column(title: str, width: int, **how: object) -> Column[str]:
    return replace(Column[str](title, Text, width=width), **how)  # type: ignore[arg-type]


NAME = column("name", 10)
BAR = column("bar", 16, yields=1, narrower=column("bar", 6, yields=3))
METRIC = column("metric", 8, yields=2)
NOTE = column("note", 20, grows=True)
ALL = (NAME, BAR, METRIC, NOTE)


def widths(columns: tuple[Column[str], ...]) -> list[tuple[str, int]]:
    return [(column.title, column.width) for column in columns]


def test_what_is_left_over_goes_to_the_note() -> None:
    assert widths(fit(ALL, 70)) == [("name", 10), ("bar", 16), ("metric", 8), ("note", 27)]


def test_columns_give_way_in_their_order_and_go_behind() -> None:
    assert widths(fit(ALL, 55)) == [("name", 10), ("bar", 6), ("metric", 8), ("note", 22)]
    assert widths(fit(ALL, 50)) == [("name", 10), ("bar", 6), ("note", 27), ("metric", 8)]
    assert [one.title for one in fit(ALL, 36)] == ["name", "note", "metric", "bar"]
    assert [one.title for one in fit(ALL, 5)] == ["name", "note", "metric", "bar"]


def test_a_column_is_as_wide_as_its_cells_and_does_not_dance() -> None:
    flexible = column("x", 4, widest=8)
    assert [one.width for one in measure([flexible], ["ab"])] == [4]
    assert [one.width for one in measure([flexible], ["abcdef", "a"])] == [6]
    wide = measure([flexible], ["a" * 20])
    assert [one.width for one in wide] == [8]
    assert [one.width for one in measure([flexible], ["a"], wide)] == [8]


@given(st.integers(0, 200))
def test_no_column_is_lost_and_the_first_ones_fit_where_they_can(width: int) -> None:
    found = fit(ALL, width)
    assert sorted(one.title for one in found) == ["bar", "metric", "name", "note"]
    end = next(place for place, one in enumerate(found) if one.title == "note")
    used = GUTTER + sum(one.width for one in found[: end + 1]) + GAP * end
    assert used <= width or [one.title for one in found[: end + 1]] == ["name", "note"]


def test_room_that_is_left_goes_to_the_note_then_to_values_that_are_cut() -> None:
    name = column("name", 10, wish=13)
    note = column("note", 8, widest=20, grows=True)
    measured = measure([name, note], ["a" * 30])
    assert widths(fit(measured, 3 + 10 + 2 + 20)) == [("name", 10), ("note", 20)]
    assert widths(fit(measured, 3 + 10 + 2 + 31)) == [("name", 11), ("note", 30)]
    assert widths(fit(measured, 3 + 13 + 2 + 50)) == [("name", 13), ("note", 50)]
    assert [one.wish for one in measure([name, note], ["a"], measured)] == [13, 30]
