"""The bytes that single values have in the identifier (docs/identifiers.md).

Each encoding starts with one byte that tells its type; what follows has a fixed length, or ends
the encoding. Numbers go by their exact value and never through decimal text.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from xpm_engine.config.naming import type_name
from xpm_engine.config.paths import locate
from xpm_engine.config.scalars import CONCRETE_PATH

_NAN = b"f\x7f\xf8\x00\x00\x00\x00\x00\x00"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (naive on purpose: zones are taken off first)
_MICROSECOND = timedelta(microseconds=1)
_pack_double = struct.Struct(">cd").pack


def text(value: str) -> bytes:
    """A text inside a longer encoding: its length in bytes, then UTF-8 with lone surrogates."""
    data = value.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(4, "big") + data


def encode_int(value: int) -> bytes:
    return b"i" + value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def encode_float(value: float) -> bytes:
    if value.is_integer():
        return encode_int(int(value))
    return _NAN if math.isnan(value) else _pack_double(b"f", value)


def encode_str(value: str) -> bytes:
    return b"s" + value.encode("utf-8", "surrogatepass")


def encode_bool(value: bool) -> bytes:
    return b"b\x01" if value else b"b\x00"


def encode_none(_: None) -> bytes:
    return b"n"


def encode_path(value: Path) -> bytes:
    root, relative = locate(value)
    return b"p" + text(root) + text(relative)


def encode_datetime(value: datetime) -> bytes:
    offset = value.utcoffset()
    wall = value.replace(tzinfo=None) - _EPOCH
    if offset is None:
        return b"W" + encode_int(wall // _MICROSECOND)
    return b"U" + encode_int((wall - offset) // _MICROSECOND)


def encode_date(value: date) -> bytes:
    return b"d" + encode_int(value.toordinal())


def encode_time(value: time) -> bytes:
    offset = value.utcoffset()
    wall = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    head = b"h" + wall.to_bytes(8, "big")
    return head if offset is None else head + encode_int(offset // _MICROSECOND)


def encode_timedelta(value: timedelta) -> bytes:
    return b"D" + encode_int(value // _MICROSECOND)


def encode_enum(value: Enum) -> bytes:
    """The declaring class and the member's name; a nameless combination of flags by its value."""
    member = member_of(value)
    last = text(member) if isinstance(member, str) else b"\xff" + encode_int(member)
    return b"e" + text(type_name(type(value))) + last


def member_of(value: Enum) -> str | int:
    """The name of a member; of a combination of flags that has no name of its own its value.

    Python calls such a combination ``R|W``, and finds no member by that name.
    """
    name: Any = value.name
    return name if name in type(value).__members__ else int(value.value)


SCALARS: dict[type, Callable[[Any], bytes]] = {
    bool: encode_bool,
    int: encode_int,
    float: encode_float,
    str: encode_str,
    type(None): encode_none,
    CONCRETE_PATH: encode_path,
    datetime: encode_datetime,
    date: encode_date,
    time: encode_time,
    timedelta: encode_timedelta,
}
"""Exact type -> the encoding of its values."""
