"""The rows of a table in the order in which they are shown; no Textual in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from rich.text import Text

Row = TypeVar("Row")


@runtime_checkable
class Keyed(Protocol):
    """Rows that are known by their keys, and made when they are looked at."""

    @property
    def keys(self) -> Sequence[Hashable]: ...
    def take(self, keys: Any) -> Any:
        """Some of these rows by their keys, in this order."""
        ...


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: how a row's cell looks, and what it is sorted by."""

    title: str
    cell: Callable[[Row], Text]
    """Called for the rows on the screen only."""
    order: Callable[[Row], Any] | None = None
    """A number, a text or None (always last); no function: not sortable."""
    width: int = 10
    """In terminal cells; a longer text is cut."""
    right: bool = False
    """Whether its cells are set flush right."""
    widest: int = 0
    """How wide it may become where its cells need that."""
    wish: int = 0
    """How wide it becomes where the others leave room."""
    grows: bool = False
    """Whether it takes the room that the others leave."""
    yields: int = 0
    """Which column gives way first where there is no room: the lowest; 0 never does."""
    narrower: Column[Row] | None = None
    """What it becomes when it gives way; None: it goes behind the others."""


class TableModel(Generic[Row]):
    """Rows, narrowed and sorted, that are found again by their key.

    Keys are unique. Sorting and narrowing never change `rows`; `shown` is what is left of them,
    in order.
    """

    def __init__(self, key: Callable[[Row], Hashable]) -> None:
        self.key = key
        self.rows: Sequence[Row] = ()
        self.shown: Sequence[Row] = ()
        self.column: Column[Row] | None = None
        """What it is sorted by; None leaves the order of `rows`."""
        self.reverse = False
        self._wanted: Callable[[Row], bool] | None = None
        self._places: dict[Hashable, int] | None = None

    def replace(self, rows: Sequence[Row], *, keep_order: bool = False) -> None:
        """Take other rows; with `keep_order` those that were shown stay where they are."""
        before = self.keys(self.shown) if keep_order else ()
        self.rows = rows
        if not keep_order:
            self._arrange()
            return
        shown = self._narrowed()
        now = {key: place for place, key in enumerate(self.keys(shown))}
        stayed = [now.pop(key) for key in before if key in now]
        self._show(_picked(shown, [*stayed, *now.values()]))

    def sort(self, column: Column[Row] | None, *, reverse: bool = False) -> None:
        """Sort by a column, or leave the order of `rows`."""
        self.column = column
        self.reverse = reverse
        self._arrange()

    def narrow(self, wanted: Callable[[Row], bool] | None) -> None:
        """Show only what is wanted; None shows everything."""
        self._wanted = wanted
        self._arrange()

    @property
    def narrowed(self) -> bool:
        """Whether some rows are not wanted."""
        return self._wanted is not None

    def index(self, key: Hashable) -> int | None:
        """Where the row with this key is shown; None if it is not."""
        if self._places is None:
            self._places = {key: place for place, key in enumerate(self.keys(self.shown))}
        return self._places.get(key)

    def find(self, row: Row, *, near: int) -> int | None:
        """Where a row, or the one with its key, is shown now; None if it is not.

        Looks `near` first, then for the very object: a table of keys of all rows costs far more.
        """
        key = self.key(row)
        if near < len(self.shown) and self.key(self.shown[near]) == key:
            return near
        keys = self.keys(self.shown)
        if not isinstance(self.shown, Keyed):
            for place, other in enumerate(self.shown):
                if other is row:
                    return place
            return self.index(key)
        return keys.index(key) if key in keys else None

    def keys(self, rows: Sequence[Row]) -> Sequence[Hashable]:
        """The keys of rows; those of many jobs are there without the jobs."""
        return rows.keys if isinstance(rows, Keyed) else list(map(self.key, rows))

    def _narrowed(self) -> Sequence[Row]:
        if self._wanted is None:
            return self.rows
        return [row for row in self.rows if self._wanted(row)]

    def _arrange(self) -> None:
        shown = self._narrowed()
        if self.column is not None and self.column.order is not None:
            ranks = ranking([self.column.order(row) for row in shown], reverse=self.reverse)
            shown = _picked(shown, sorted(range(len(shown)), key=ranks.__getitem__))
        elif self.reverse:
            shown = shown[::-1]
        self._show(shown)

    def _show(self, shown: Sequence[Row]) -> None:
        self.shown = shown
        self._places = None


def ranking(values: Sequence[Any], *, reverse: bool = False) -> Sequence[float]:
    """A number for each value, by which to sort: numbers first, then texts without regard to case.

    Equal values get the same number. None and NaN stay last, in reverse, too. Anything else is
    ranked by its Python spelling.
    """
    kinds = set(map(type, values))
    if kinds <= _NUMBERS:
        return [_number(value, reverse=reverse) for value in values]
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


def _picked(rows: Sequence[Row], places: Sequence[int]) -> Sequence[Row]:
    if isinstance(rows, Keyed):
        keys = rows.keys
        found: Sequence[Row] = rows.take([keys[place] for place in places])
        return found
    return [rows[place] for place in places]


_NUMBERS = frozenset((bool, int, float, type(None)))
_SCALARS = _NUMBERS | {str}


def _missing(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 (NaN is what differs from itself)


def _number(value: Any, *, reverse: bool) -> float:
    if _missing(value):
        return math.inf
    return float(-value if reverse else value)
