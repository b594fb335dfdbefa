"""The rows of a table in the order in which they are shown; no Textual in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from rich.text import Text

from xpm_tui.store.ranking import ranking

Row = TypeVar("Row")


@runtime_checkable
class Keyed(Protocol):
    """Rows that are known by their keys, and made when they are looked at."""

    @property
    def keys(self) -> Sequence[Hashable]: ...
    def take(self, keys: Any) -> Any:
        """Some of these rows by their keys, in this order."""
        ...

    def ranks(self, by: str, order: Any, *, reverse: bool) -> Sequence[float] | None:
        """A number for each row to sort by, as `ranking` of what `order` says of it; None while
        that is not known yet."""
        ...


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: how a row's cell looks, and what it is sorted by."""

    title: str
    cell: Callable[[Row], Text]
    """Called for the rows on the screen only."""
    order: Callable[[Row], Any] | None = None
    """A number, a text or None (always last); no function: not sortable."""
    by: str = ""
    """What rows that know themselves call this order; empty: each row is asked."""
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
        self.unsorted = False
        """Whether it is not known yet how to sort the rows: they stay where they were."""
        self._wanted: Callable[[Row], bool] | None = None
        self._only: frozenset[Hashable] | None = None
        self._places: dict[Hashable, int] | None = None

    def replace(self, rows: Sequence[Row], *, keep_order: bool = False) -> None:
        """Take other rows; with `keep_order` those that were shown stay where they are."""
        before = self.keys(self.shown) if keep_order else ()
        self.rows = rows
        if not keep_order:
            self._arrange()
            return
        self._show(self._in_places(self._narrowed(), before))

    def sort(self, column: Column[Row] | None, *, reverse: bool = False) -> None:
        """Sort by a column, or leave the order of `rows`."""
        self.column = column
        self.reverse = reverse
        self._arrange(same=True)

    def narrow(self, wanted: Callable[[Row], bool] | None) -> None:
        """Show only what is wanted; None shows everything."""
        self._wanted = wanted
        self._arrange()

    def narrow_to(self, keys: frozenset[Hashable] | None) -> None:
        """Show only the rows with these keys; None shows everything. None of them is made for
        it."""
        self._only = keys
        self._arrange()

    @property
    def narrowed(self) -> bool:
        """Whether some rows are not wanted."""
        return self._wanted is not None or self._only is not None

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
        try:
            return keys.index(key)
        except ValueError:
            return None

    def keys(self, rows: Sequence[Row]) -> Sequence[Hashable]:
        """The keys of rows; those of many jobs are there without the jobs."""
        return rows.keys if isinstance(rows, Keyed) else list(map(self.key, rows))

    def _narrowed(self) -> Sequence[Row]:
        rows, only = self.rows, self._only
        if only is not None:
            keys = self.keys(rows)
            rows = _picked(rows, [place for place, key in enumerate(keys) if key in only])
        if self._wanted is None:
            return rows
        return [row for row in rows if self._wanted(row)]

    def _arrange(self, *, same: bool = False) -> None:
        """`same` says that these rows are shown already, in whichever order."""
        shown = self._narrowed()
        self.unsorted = False
        if self.column is not None and self.column.order is not None:
            ranks = self._ranks(shown, self.column)
            self.unsorted = ranks is None
            if ranks is None and same:
                return
            if ranks is None:
                shown = self._in_places(shown, self.keys(self.shown))
            else:
                shown = _picked(shown, sorted(range(len(shown)), key=ranks.__getitem__))
        elif self.reverse:
            shown = shown[::-1]
        self._show(shown)

    def _in_places(self, rows: Sequence[Row], before: Iterable[Hashable]) -> Sequence[Row]:
        """The rows in the order of `before`, then those that are new."""
        now = {key: place for place, key in enumerate(self.keys(rows))}
        stayed = [now.pop(key) for key in before if key in now]
        return _picked(rows, [*stayed, *now.values()])

    def _ranks(self, rows: Sequence[Row], column: Column[Row]) -> Sequence[float] | None:
        if column.by and isinstance(rows, Keyed):
            return rows.ranks(column.by, column.order, reverse=self.reverse)
        assert column.order is not None
        return ranking(list(map(column.order, rows)), reverse=self.reverse)

    def _show(self, shown: Sequence[Row]) -> None:
        self.shown = shown
        self._places = None


def _picked(rows: Sequence[Row], places: Sequence[int]) -> Sequence[Row]:
    if isinstance(rows, Keyed):
        keys = rows.keys
        found: Sequence[Row] = rows.take(list(map(keys.__getitem__, places)))
        return found
    return [rows[place] for place in places]
