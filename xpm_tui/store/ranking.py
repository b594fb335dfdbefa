"""Values of any kind as numbers to sort by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def ranking(values: Sequence[Any], *, reverse: bool = False) -> Sequence[float]:
    """A number for each value, by which to sort: numbers first, then texts without regard to case.

    Equal values get the same number. None and NaN stay last, in reverse, too. Anything else is
    ranked by its Python spelling.
    """
    kinds = set(map(type, values))
    if kinds <= _NUMBERS:
        # NaN is what differs from itself.
        if reverse:
            return [LAST if each is None or each != each else -each for each in values]  # noqa: PLR0124
        return [LAST if each is None or each != each else each for each in values]  # noqa: PLR0124
    if not kinds <= _SCALARS:
        values = [value if type(value) in _SCALARS else repr(value) for value in values]
    distinct = set(values)
    numbers = [value for value in distinct if type(value) in _NUMBERS and not _missing(value)]
    texts = sorted(value for value in distinct if isinstance(value, str))
    texts.sort(key=str.casefold)
    ordered: list[Any] = [*sorted(numbers), *texts]
    if reverse:
        ordered.reverse()
    ranks = {value: rank for rank, value in enumerate(ordered)}
    last = len(ordered)
    return [ranks.get(value, last) for value in values]


LAST = math.inf
_NUMBERS = frozenset((bool, int, float, type(None)))
_SCALARS = _NUMBERS | {str}


def _missing(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 (NaN is what differs from itself)
