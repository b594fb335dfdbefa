"""What values mean: decimals with units, days and moments, as intervals of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from xpm_engine.filters.grammar import DECIMAL, NUMBER, Op, Range

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_BYTES = {
    **{unit: 1000**power for power, unit in enumerate(("b", "kb", "mb", "gb", "tb"))},
    **{unit: 1024**power for power, unit in enumerate(("kib", "mib", "gib", "tib"), start=1)},
}
_MOST_DIGITS = 400
"""A decimal of more digits is read as a float: Python refuses integers of 4,300 digits."""


class Measure(Enum):
    """What a number counts."""

    PLAIN = "a number"
    SECONDS = "a duration"
    BYTES = "a size"
    SHARE = "a share"
    """A percentage, as a fraction of 1."""
    MOMENT = "a date"
    """Seconds since 1970."""


@dataclass(frozen=True)
class Bounds:
    """An interval of numbers."""

    low: float
    high: float
    low_open: bool = False
    """Whether `low` itself is outside."""
    high_open: bool = False

    def hold(self, number: float) -> bool:
        """Whether the number is inside; NaN never is. Integers of any size compare exactly."""
        above = number > self.low if self.low_open else number >= self.low
        return above and (number < self.high if self.high_open else number <= self.high)

    def before(self, moment: float) -> Bounds:
        """The moments that are, in seconds, so long before `moment`."""
        return Bounds(moment - self.high, moment - self.low, self.high_open, self.low_open)


@dataclass(frozen=True)
class Number:
    """A number as it was typed; a day, a minute or a second is all of it."""

    bounds: Bounds
    measure: Measure


def read_number(text: str, *, now: float) -> Number | None:
    """The number that a value is; None for one that is none.

    Days are those of the local time zone. Raises ValueError for a date that does not exist.
    """
    decimal = DECIMAL.fullmatch(text)
    if decimal is not None:
        return _decimal(decimal[1], decimal[2].lower())
    if NUMBER.fullmatch(text) is not None:
        return Number(_moment(text.lower(), now), Measure.MOMENT)
    if text.lower() in ("inf", "+inf", "-inf"):
        return Number(Bounds(float(text), float(text)), Measure.PLAIN)
    return None


def bounds_of(number: Number, op: Op) -> Bounds:
    """The numbers that stand in this relation to `number`."""
    bounds = number.bounds
    match op:
        case Op.LESS:
            return Bounds(-math.inf, bounds.low, high_open=True)
        case Op.AT_MOST:
            return Bounds(-math.inf, bounds.high, high_open=bounds.high_open)
        case Op.GREATER:
            return Bounds(bounds.high, math.inf, low_open=not bounds.high_open)
        case Op.AT_LEAST:
            return Bounds(bounds.low, math.inf)
        case _:
            return bounds


def read_range(value: Range, *, now: float) -> tuple[Bounds, frozenset[Measure]]:
    """The interval between two numbers, both included, and what they count.

    Raises ValueError for a date that does not exist.
    """
    low = None if value.low is None else read_number(value.low, now=now)
    high = None if value.high is None else read_number(value.high, now=now)
    bounds = Bounds(
        -math.inf if low is None else low.bounds.low,
        math.inf if high is None else high.bounds.high,
        high_open=high is not None and high.bounds.high_open,
    )
    return bounds, frozenset(side.measure for side in (low, high) if side is not None)


def _decimal(digits: str, unit: str) -> Number:
    number: float = float(digits)
    if len(digits) <= _MOST_DIGITS and digits.lstrip("+-").isdigit():
        number = int(digits)
    measure = Measure.PLAIN
    # Division is right to the last digit where a product with 0.01 would not be.
    if unit == "%":
        number, measure = number / 100, Measure.SHARE
    elif unit == "ms":
        number, measure = number / 1000, Measure.SECONDS
    elif unit in _SECONDS:
        number, measure = number * _SECONDS[unit], Measure.SECONDS
    elif unit:
        number, measure = number * _BYTES[unit], Measure.BYTES
    return Number(Bounds(number, number), measure)


def _moment(text: str, now: float) -> Bounds:
    """From the beginning of a day, a minute or a second to that of the next, in local time."""
    try:
        start, end = _local(text, now)
        return Bounds(start.timestamp(), end.timestamp(), high_open=True)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"there is no such date: {text}") from None


def _local(text: str, now: float) -> tuple[datetime, datetime]:
    if text in ("today", "yesterday"):
        start = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)  # noqa: DTZ006
        if text == "yesterday":
            start -= timedelta(days=1)
        return start, start + timedelta(days=1)
    start = datetime.fromisoformat(text)
    steps = {10: timedelta(days=1), 16: timedelta(minutes=1), 19: timedelta(seconds=1)}
    return start, start + steps[len(text)]
