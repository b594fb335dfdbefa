"""A table made of any records that can tell their fields, a column at its first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from xpm_engine.filters.columns import ABSENT, Cell, Column, coded, numbers
from xpm_engine.filters.names import FIELDS, METRIC, PARAM, TAG, Kind
from xpm_engine.workspace.records.params import short_text

Item = TypeVar("Item")

_CELL_TYPES = frozenset((str, int, float, bool, type(None), tuple))


@dataclass(frozen=True)
class Getters(Generic[Item]):
    """How the fields of one kind of record are found."""

    fields: Mapping[str, Callable[[Item], Cell]]
    """By the names of `FIELDS`, and ``is.live`` for a flag; what is left out can't be asked.

    Durations are seconds, sizes bytes, shares 0 to 1, moments seconds since 1970.
    """
    tags: Callable[[Item], Mapping[str, Any]]
    params: Callable[[Item], Mapping[str, Any]]
    """By dotted path."""
    metrics: Callable[[Item], Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class RowTable(Generic[Item]):
    """Records as a `Table`; its columns are kept, so it must not outlive a change of its rows."""

    items: Sequence[Item]
    getters: Getters[Item]
    _columns: dict[str, Column | None] = field(
        default_factory=dict[str, "Column | None"], init=False, repr=False
    )
    _mappings: dict[str, list[Mapping[str, Any]]] = field(
        default_factory=dict[str, "list[Mapping[str, Any]]"], init=False, repr=False
    )
    _names: list[str] = field(default_factory=list[str], init=False, repr=False)

    @property
    def rows(self) -> int:
        return len(self.items)

    def names(self) -> Sequence[str]:
        if not self._names:
            self._names.extend(self.getters.fields)
            for prefix in (TAG, PARAM, METRIC):
                found: dict[str, None] = {}
                for values in self._values(prefix):
                    found.update(dict.fromkeys(values))
                self._names.extend(prefix + name for name in found)
        return self._names

    def column(self, name: str) -> Column | None:
        if name not in self._columns:
            self._columns[name] = self._make(name)
        return self._columns[name]

    def _make(self, name: str) -> Column | None:
        get = self.getters.fields.get(name)
        if get is not None:
            number = name in FIELDS and FIELDS[name].kind not in (Kind.TEXT, Kind.FLAG)
            cells = map(get, self.items)
            return numbers(cast("map[float | None]", cells)) if number else coded(cells)
        for prefix in (TAG, PARAM, METRIC):
            if name.startswith(prefix):
                key = name[len(prefix) :]
                return coded(cells_of([has.get(key, ABSENT) for has in self._values(prefix)]))
        return None

    def _values(self, prefix: str) -> Sequence[Mapping[str, Any]]:
        """The tags, parameters or metrics of every row."""
        if prefix not in self._mappings:
            getters = self.getters
            get = {TAG: getters.tags, PARAM: getters.params, METRIC: getters.metrics}[prefix]
            self._mappings[prefix] = list(map(get, self.items))
        return self._mappings[prefix]


def cells_of(values: Sequence[Any]) -> Sequence[Cell]:
    """Values as cells; what is no scalar, in a damaged file, as short text."""
    if set(map(type, values)) <= _CELL_TYPES:
        return values
    return [value if type(value) in _CELL_TYPES else short_text(value) for value in values]
