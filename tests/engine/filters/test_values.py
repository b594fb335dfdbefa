"""Numbers with units, and days, as intervals."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.filters.jobs import NOW
from xpm_engine.filters.grammar import Op, Range
from xpm_engine.filters.values import Bounds, Measure, bounds_of, read_number, read_range


@pytest.mark.parametrize(
    ("text", "number", "measure"),
    [
        ("1", 1, Measure.PLAIN),
        ("1.0", 1, Measure.PLAIN),
        ("1e0", 1, Measure.PLAIN),
        ("-.5", -0.5, Measure.PLAIN),
        ("+3", 3, Measure.PLAIN),
        ("9007199254740993", 2**53 + 1, Measure.PLAIN),
        ("1E-3", 0.001, Measure.PLAIN),
        ("1e400", math.inf, Measure.PLAIN),
        ("inf", math.inf, Measure.PLAIN),
        ("58%", 0.58, Measure.SHARE),
        ("250ms", 0.25, Measure.SECONDS),
        ("90s", 90, Measure.SECONDS),
        ("1.5m", 90, Measure.SECONDS),
        ("2H", 7200, Measure.SECONDS),
        ("30d", 2_592_000, Measure.SECONDS),
        ("1w", 604_800, Measure.SECONDS),
        ("7B", 7, Measure.BYTES),
        ("1.5kB", 1500, Measure.BYTES),
        ("1gb", 10**9, Measure.BYTES),
        ("1TB", 10**12, Measure.BYTES),
        ("1KiB", 1024, Measure.BYTES),
        ("2GiB", 2**31, Measure.BYTES),
    ],
)
def test_decimals(text: str, number: float, measure: Measure) -> None:
    found = read_number(text, now=NOW)
    assert found is not None
    assert found.bounds == Bounds(number, number)
    assert found.measure is measure


@pytest.mark.parametrize("text", ["", "a", "1x", "1 s", "1..2", "0x10", "1_000", "nan", "٣", "--1"])
def test_no_numbers(text: str) -> None:
    assert read_number(text, now=NOW) is None


def test_a_number_of_very_many_digits_is_read() -> None:
    found = read_number("9" * 5000, now=NOW)
    assert found is not None
    assert found.bounds.low == math.inf


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-20", (2026, 11, 20), (2026, 11, 21)),
        ("2026-12-31", (2026, 12, 31), (2027, 1, 1)),
        ("2026-11-20T10:59", (2026, 11, 20, 10, 59), (2026, 11, 20, 11, 0)),
        ("2026-11-20t10:59:59", (2026, 11, 20, 10, 59, 59), (2026, 11, 20, 11, 0)),
        ("today", (2026, 11, 23), (2026, 11, 24)),
        ("Yesterday", (2026, 11, 22), (2026, 11, 23)),
    ],
)
def test_days(text: str, start: tuple[int, ...], end: tuple[int, ...]) -> None:
    found = read_number(text, now=NOW)
    assert found is not None
    assert found.measure is Measure.MOMENT
    low, high = (time.mktime((*parts, *(0,) * (8 - len(parts)), -1)) for parts in (start, end))
    assert found.bounds == Bounds(low, high, high_open=True)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-11-20T24:00", "9999-12-31", "0000-01-01"])
def test_dates_that_do_not_exist(text: str) -> None:
    with pytest.raises(ValueError, match="no such date"):
        read_number(text, now=NOW)


@pytest.mark.parametrize(
    ("op", "inside", "outside"),
    [
        (Op.LESS, [0, 9.99], [10, 15, 20]),
        (Op.AT_MOST, [0, 10, 19.99], [20]),
        (Op.GREATER, [20, 99], [10, 19.99]),
        (Op.AT_LEAST, [10, 20], [9.99]),
        (Op.EQUAL, [10, 19.99], [9.99, 20]),
    ],
)
def test_a_day_is_all_of_it(op: Op, inside: list[float], outside: list[float]) -> None:
    number = read_number("today", now=NOW)
    assert number is not None
    day = type(number)(Bounds(10, 20, high_open=True), Measure.MOMENT)
    bounds = bounds_of(day, op)
    assert all(map(bounds.hold, inside))
    assert not any(map(bounds.hold, outside))


@given(st.integers() | st.floats(), st.integers(-5, 5))
def test_a_number_stands_in_just_one_relation(value: float, literal: int) -> None:
    number = read_number(str(literal), now=NOW)
    assert number is not None
    holds = {op: bounds_of(number, op).hold(value) for op in Op}
    assert holds[Op.LESS] == (value < literal)
    assert holds[Op.AT_MOST] == (value <= literal)
    assert holds[Op.GREATER] == (value > literal)
    assert holds[Op.AT_LEAST] == (value >= literal)
    assert holds[Op.EQUAL] == (value == literal)


def test_ranges_include_both_ends() -> None:
    assert read_range(Range("1", "3"), now=NOW)[0] == Bounds(1, 3)
    assert read_range(Range("1h", None), now=NOW)[0] == Bounds(3600, math.inf)
    assert read_range(Range(None, "3"), now=NOW)[0] == Bounds(-math.inf, 3)
    bounds, measures = read_range(Range("yesterday", "today"), now=NOW)
    assert bounds.hold(NOW)
    assert bounds.hold(NOW + 86_400 / 2 - 1)
    assert not bounds.hold(NOW + 86_400 / 2)
    assert measures == {Measure.MOMENT}
