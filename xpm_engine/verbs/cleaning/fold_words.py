"""What alike jobs have in common, and in what they differ: ``lr=1`` and ``seed=1..5``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from xpm_engine.words import plain
from xpm_engine.workspace.records.params import short_text

_NUMBERS = (int, float)

MOST_VALUES = 3
"""Values of a name that are spelled out; of more there is a range, or how many there are."""


def common_and_other(
    named: Iterable[tuple[str, Sequence[Any]]], count: int
) -> tuple[list[str], list[str]]:
    """Of names with their values in `count` jobs: ``lr=1`` of all of them, ``seed=1..5`` of some.

    A job that lacks a name is not among the values.
    """
    common: list[str] = []
    other: list[str] = []
    for name, values in named:
        distinct = _distinct(values)
        if len(distinct) == 1 and len(values) == count:
            common.append(plain(f"{name}={short_text(distinct[0])}"))
        elif distinct:
            other.append(plain(f"{name}={_range(distinct)}"))
    return common, other


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Those that look different, by the last of each; numbers are not spelled for that."""
    found: dict[tuple[bool | None, Any], Any] = {}
    for value in values:
        number = type(value) in _NUMBERS and value == value  # noqa: PLR0124 (not a number)
        found[(None, value) if number else (type(value) is bool, short_text(value))] = value
    return list(found.values())


def _range(values: Sequence[Any]) -> str:
    """``1..5``, ``0.1,0.5``, ``12 values``."""
    numbers = all(isinstance(value, (int, float)) for value in values)
    ordered = sorted(values) if numbers else sorted(values, key=short_text)
    if len(ordered) > 2 and numbers and all(b - a == 1 for a, b in pairwise(ordered)):
        return f"{short_text(ordered[0])}..{short_text(ordered[-1])}"
    if len(ordered) <= MOST_VALUES:
        return ",".join(map(short_text, ordered))
    if numbers:
        return f"{short_text(ordered[0])}…{short_text(ordered[-1])}"
    return f"{len(ordered)} values"
