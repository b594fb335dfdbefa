"""Single values: which types they have, and how a near one becomes exact."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

from xpm_engine.config.problems import Mismatch

CONCRETE_PATH = type(Path())

IMMUTABLE = frozenset(
    (bool, int, float, str, type(None), datetime, date, time, timedelta, CONCRETE_PATH)
)
"""The exact types of values that need no copy."""


def exact(value: object) -> object:
    """A numpy scalar, or a value of a built-in's subclass, as the exact built-in.

    Anything else is returned as it is. An Enum stays what it is: a str-Enum is not its string.
    """
    if isinstance(value, Enum) or type(value) in IMMUTABLE:
        return value
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        scalar: Any = value
        return scalar.item() if scalar.dtype.kind in "biufU" else value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    return value


def check_bool(value: object) -> bool:
    if type(value) is bool:
        return value
    plain = exact(value)
    if type(plain) is bool:
        return plain
    raise Mismatch("bool", value)


def check_int(value: object) -> int:
    if type(value) is int:
        return value
    plain = exact(value)
    if type(plain) is int:
        return plain
    note = "a bool is no number" if type(plain) is bool else ""
    raise Mismatch("int", value, note=note)


def check_float(value: object) -> float:
    if type(value) is float:
        return value
    plain = exact(value)
    if type(plain) is float:
        return plain
    if type(plain) is int:
        try:
            number = float(plain)
        except OverflowError:
            raise Mismatch("float", value, note="too large for a float") from None
        if number == plain:
            return number
        raise Mismatch("float", value, note="no float has exactly this value: write it as one")
    note = "a bool is no number" if type(plain) is bool else ""
    raise Mismatch("float", value, note=note)


def check_str(value: object) -> str:
    if type(value) is str:
        return value
    plain = exact(value)
    if type(plain) is str:
        return plain
    raise Mismatch("str", value)


def check_none(value: object) -> None:
    if value is not None:
        raise Mismatch("None", value)


def check_path(value: object) -> Path:
    if type(value) is CONCRETE_PATH:
        path = value
    elif isinstance(value, PurePath):
        path = Path(value)
    else:
        note = f"write Path({value!r})" if type(value) is str and len(value) < 100 else ""
        raise Mismatch("Path", value, note=note)
    if "\0" in str(path):
        raise Mismatch("Path", value, note="no file's name holds a zero byte")
    return path


def check_datetime(value: object) -> datetime:
    if type(value) is datetime:
        return value
    raise Mismatch("datetime", value)


def check_date(value: object) -> date:
    if type(value) is date:
        return value
    raise Mismatch("date", value)


def check_time(value: object) -> time:
    if type(value) is time:
        if value.tzinfo is not None and value.utcoffset() is None:
            raise Mismatch("time", value, note="its zone has no fixed offset without a date")
        return value
    raise Mismatch("time", value)


def check_timedelta(value: object) -> timedelta:
    if type(value) is timedelta:
        return value
    raise Mismatch("timedelta", value)


CHECKS: dict[type, Callable[[object], Any]] = {
    bool: check_bool,
    int: check_int,
    float: check_float,
    str: check_str,
    type(None): check_none,
    Path: check_path,
    CONCRETE_PATH: check_path,
    PurePath: check_path,
    datetime: check_datetime,
    date: check_date,
    time: check_time,
    timedelta: check_timedelta,
}
"""Declared type -> the function that returns an exact value of it, or raises Mismatch."""
