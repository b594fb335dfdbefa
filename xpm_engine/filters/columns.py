"""Jobs as columns: a test is made once for each distinct value, then spread over the rows."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any, Protocol, TypeAlias, cast

from xpm_engine.workspace.records.params import short_text

Scalar: TypeAlias = str | int | float | bool | None
Cell: TypeAlias = Scalar | tuple[Scalar, ...]
"""One value, or several of one name, of which one match is enough; none at all where a job lacks
the name."""

ABSENT: tuple[Scalar, ...] = ()
"""The cell of a job that lacks the name."""

MOST_BYTE_CODES = 256

MOST_LAYERS = 3
"""Values of a row that are looked at for all rows at once; of more, row by row."""


@dataclass(frozen=True, eq=False)
class Column:
    """One name of every job."""

    values: Sequence[Cell]
    """The distinct values; without `codes`, one a row."""
    codes: bytes | array[int] | None = None
    """For each row, which of `values` it has. Bytes (at most 256 values) are the quickest."""
    numeric: bool = False
    """Whether every value is an int or a float and no bool; NaN then stands for none."""
    sets: Sequence[tuple[int, ...]] | None = None
    """Where jobs have several values: which of `values` a code stands for (without codes, which a
    row has); never none, for the first of `values` is `ABSENT`."""

    @cached_property
    def texts(self) -> Sequence[str | None] | None:
        """The values with no difference of case left, None for none; None altogether if one of
        them is no single text."""
        if not all(type(value) is str or value is None or value == () for value in self.values):
            return None
        return [_folded(value) if isinstance(value, str) else None for value in self.values]

    @cached_property
    def shown(self) -> Sequence[str | None] | None:
        """The values as people see them with no difference of case, None where there is none;
        None altogether if a job has several."""
        if any(isinstance(cell, tuple) and cell for cell in self.values):
            return None
        return [
            None
            if cell == () or (self.numeric and is_nan(cell))
            else text_of(cast("Scalar", cell)).casefold()
            for cell in self.values
        ]

    @cached_property
    def present(self) -> bytes:
        """1 for each of the values that is one, 0 where a job lacks the name."""
        if self.numeric:
            return bytes([cell == cell for cell in self.values])  # noqa: PLR0124 (NaN is not)
        return bytes([cell != () for cell in self.values])

    @cached_property
    def _pick(self) -> Callable[[bytes], Iterable[int]]:
        return _picker(self.codes or ())

    @cached_property
    def _layers(self) -> tuple[list[Callable[[bytes], Iterable[int]]], list[int]]:
        """What picks the first, the second … value of each set; and the sets that have more."""
        sets = self.sets or ()
        nothing = len(self.values)
        layers: list[Callable[[bytes], Iterable[int]]] = []
        for layer in range(min(MOST_LAYERS, max(map(len, sets), default=0))):
            places = [each[layer] if layer < len(each) else nothing for each in sets]
            layers.append(_picker(places))
        return layers, [place for place, each in enumerate(sets) if len(each) > MOST_LAYERS]

    def _of_sets(self, verdicts: bytes) -> bytes:
        """From verdicts on `values` to verdicts on `sets`: one of its values is enough."""
        layers, longer = self._layers
        sets, padded, found = self.sets or (), verdicts + b"\0", 0
        for pick in layers:
            found |= int.from_bytes(bytes(pick(padded)), "little")
        together = bytearray(found.to_bytes(len(sets), "little"))
        for place in longer:
            together[place] = any(map(verdicts.__getitem__, sets[place]))
        return bytes(together)

    def spread(self, verdicts: bytes) -> bytes:
        """From one verdict, 0 or 1, for each of `values` to one for each row."""
        codes = self.codes
        if self.sets is not None:
            verdicts = self._of_sets(verdicts)
        if codes is None:
            return verdicts
        if isinstance(codes, bytes):
            return codes.translate(verdicts.ljust(MOST_BYTE_CODES, b"\0"))
        return bytes(self._pick(verdicts))

    def counts(self) -> Counter[Scalar]:
        """How many rows have each value; a row with several counts for each."""
        rows = Counter(self.codes) if self.codes is not None else None
        found: Counter[Scalar] = Counter()
        if self.sets is not None:
            told = Counter[int]()
            for code, each in enumerate(self.sets):
                for place in each:
                    told[place] += 1 if rows is None else rows[code]
            rows = told
        for index, cell in enumerate(self.values):
            count = 1 if rows is None else rows[index]
            for value in cell if isinstance(cell, tuple) else (cell,):
                if not is_nan(value):
                    found[value] += count
        return found

    def cells(self) -> Iterator[Cell]:
        """The cell of every row."""
        cells: Sequence[Cell] = self.values
        if self.sets is not None:
            cells = list(map(self._together, self.sets))
        return iter(cells) if self.codes is None else map(cells.__getitem__, self.codes)

    def _together(self, places: tuple[int, ...]) -> Cell:
        several = (self.values[place] for place in places if place)
        return cast("tuple[Scalar, ...]", tuple(several))


class Table(Protocol):
    """Jobs by column; what is not asked for need not be made."""

    @property
    def rows(self) -> int:
        """How many jobs there are."""
        ...

    def names(self) -> Sequence[str]:
        """What can be asked: fields, flags (``is.live``), and what some job has, qualified:
        ``tag.…``, ``param.…``, ``metric.…``."""
        ...

    def column(self, name: str) -> Column | None:
        """The column of one of `names`, of true and false for a flag; None for any other name.

        What a job lacks is `ABSENT`, or NaN in a numeric column; fields may be None too.
        """
        ...


def coded(cells: Iterable[Cell]) -> Column:
    """A column of these cells, a row each."""
    rows = list(cells)
    keys: list[Any] = rows if _equal_is_same(rows) else list(map(_key, rows))
    code_of = {key: code for code, key in enumerate(dict.fromkeys(keys))}
    # A later row of the same key overwrites the earlier with the same cell.
    cell_of_key = dict(zip(keys, rows, strict=True))
    values = list(map(cell_of_key.__getitem__, code_of))
    numeric = all(map(_is_number, values)) and any(value != () for value in values)
    if numeric:
        values = [math.nan if value == () else value for value in values]
    codes = map(code_of.__getitem__, keys)
    if len(values) <= MOST_BYTE_CODES:
        return Column(values, bytes(codes), numeric)
    if 2 * len(values) > len(rows):
        own: list[Any] = list(map(values.__getitem__, codes))
        return Column(array("d", own) if set(map(type, own)) == {float} else own, None, numeric)
    return Column(values, array("I", codes), numeric)


def several(cells: Iterable[Sequence[Scalar]], codes: bytes | array[int] | None = None) -> Column:
    """A column of which a row may have any number of values; `codes` tell which of the cells."""
    place_of: dict[Any, int] = {}
    values: list[Cell] = [ABSENT]
    sets: list[tuple[int, ...]] = []
    for cell in cells:
        places: list[int] = []
        for value in cell:
            place = place_of.setdefault((type(value), value), len(values))
            if place == len(values):
                values.append(value)
            places.append(place)
        sets.append(tuple(places) or (0,))
    return Column(values, codes, sets=sets)


def numbers(cells: Iterable[float | None]) -> Column:
    """A column of numbers that are mostly different, a row each; None where there is none."""
    return Column([math.nan if cell is None else cell for cell in cells], None, True)


def floats(cells: Iterable[float]) -> Column:
    """As `numbers`, of floats alone, in an eighth of the memory; NaN where there is none."""
    return Column(array("d", cells), None, True)


def _folded(text: str) -> str:
    """With no difference of case; the same object where it had none, for there are very many."""
    folded = text.casefold()
    return text if folded == text else folded


def _picker(places: Sequence[int]) -> Callable[[bytes], Iterable[int]]:
    if len(places) < 2:  # itemgetter returns no tuple for one index
        return lambda values: [values[place] for place in places]
    return itemgetter(*places)


def text_of(value: Scalar) -> str:
    """A value as people see it: what patterns and texts are looked for in."""
    return value if isinstance(value, str) else short_text(value)


def is_nan(value: object) -> bool:
    """Whether a value is the float NaN."""
    return isinstance(value, float) and math.isnan(value)


def _equal_is_same(rows: Sequence[Cell]) -> bool:
    """Whether no two of the cells are of different types and equal all the same: 1, 1.0, True."""
    types = set(map(type, rows))
    if tuple in types:
        several = chain.from_iterable(cell for cell in rows if isinstance(cell, tuple))
        types.update(map(type, several))
    return len(types & {int, float, bool}) < 2


def _key(cell: Cell) -> Any:
    """Equal only for cells that are the same."""
    types = tuple(map(type, cell)) if isinstance(cell, tuple) else type(cell)
    return types, cell


def _is_number(cell: Cell) -> bool:
    return cell == () or (type(cell) in (int, float) and not is_nan(cell))
