"""Reading JSON fields that anyone may have damaged: each getter checks the type it returns."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, Dict, List, Optional, cast

from xpm_engine.errors import UnreadableError

VERSION = 1
"""The version of every file that we write."""


def no_values() -> Dict[str, Any]:
    """An empty mapping, as the default of a record's field."""
    return {}


def no_numbers() -> Dict[str, float]:
    """An empty mapping of numbers, as the default of a record's field."""
    return {}


def no_texts() -> Dict[str, str]:
    """An empty mapping of texts, as the default of a record's field."""
    return {}


class Fields:
    """The fields of one JSON object, checked as they are taken.

    Every getter raises UnreadableError, naming the file and the field.
    """

    def __init__(self, data: Dict[str, Any], where: str) -> None:
        self.data = data
        self.where = where

    def version(self, newest: int = VERSION) -> None:
        """Refuse what a newer version wrote."""
        found = self.data.get("v")
        if not isinstance(found, int) or isinstance(found, bool) or found < 1:
            raise UnreadableError("has no version number, so it is not ours", where=self.where)
        if found > newest:
            raise UnreadableError(
                f"was written by a newer version (format {found}, this one reads {newest})",
                where=self.where,
                hint="update xpm-tui",
            )

    def text(self, name: str) -> str:
        value = self.data.get(name)
        if not isinstance(value, str):
            raise self._bad(name, "text")
        return value

    def optional_text(self, name: str) -> Optional[str]:
        return None if self.data.get(name) is None else self.text(name)

    def integer(self, name: str) -> int:
        value = self.data.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._bad(name, "an integer")
        return value

    def optional_integer(self, name: str) -> Optional[int]:
        return None if self.data.get(name) is None else self.integer(name)

    def number(self, name: str) -> float:
        value = self.data.get(name)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise self._bad(name, "a number")
        return float(value)

    def optional_number(self, name: str) -> Optional[float]:
        return None if self.data.get(name) is None else self.number(name)

    def flag(self, name: str) -> bool:
        value = self.data.get(name, False)
        if not isinstance(value, bool):
            raise self._bad(name, "true or false")
        return value

    def mapping(self, name: str) -> Dict[str, Any]:
        value = self.data.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._bad(name, "an object")
        return cast("Dict[str, Any]", value)

    def text_mapping(self, name: str) -> Dict[str, str]:
        values = self.mapping(name)
        if not all(isinstance(value, str) for value in values.values()):
            raise self._bad(name, "an object of texts")
        return values

    def items(self, name: str) -> List[Any]:
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._bad(name, "a list")
        items: List[Any] = value  # pyright: ignore[reportUnknownVariableType]
        return items

    def texts(self, name: str) -> List[str]:
        values = self.items(name)
        if not all(isinstance(value, str) for value in values):
            raise self._bad(name, "a list of texts")
        return values

    def part(self, name: str) -> "Fields":
        """A nested object, that must be there."""
        value = self.data.get(name)
        if not isinstance(value, dict):
            raise self._bad(name, "an object")
        return Fields(cast("Dict[str, Any]", value), f"{self.where} ({name})")

    def parts(self, name: str) -> "List[Fields]":
        """A list of nested objects; what is none reads as an empty one."""
        return [
            Fields(cast("Dict[str, Any]", item) if isinstance(item, dict) else {}, self.where)
            for item in self.items(name)
        ]

    def optional_part(self, name: str) -> "Optional[Fields]":
        return None if self.data.get(name) is None else self.part(name)

    def _bad(self, name: str, wanted: str) -> UnreadableError:
        return UnreadableError(f"field {name!r} is missing or not {wanted}", where=self.where)


_WRITTEN = len("2026-11-23T05:52:01.123456Z")


def now() -> str:
    """The time as every record states it: UTC, microseconds, ``2026-11-23T05:52:01.123456Z``."""
    return format_time(time.time())


def format_time(seconds: float) -> str:
    """Seconds since 1970 as a record states them."""
    whole, micro = divmod(round(seconds * 1e6), 1_000_000)
    return "%s.%06dZ" % (_whole_second(whole), micro)


@lru_cache(maxsize=64)
def _whole_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def parse_time(text: str) -> Optional[float]:
    """Seconds since 1970 of a record's time; None for anything else."""
    try:
        if len(text) == _WRITTEN and text[-1] == "Z":  # as we write it: ten times as quick
            return datetime.fromisoformat(text[:-1] + "+00:00").timestamp()
        return datetime.strptime(text[:-1] + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    except (TypeError, ValueError):
        return None
