"""A filter that is ready to select jobs, column by column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import compress
from typing import TypeVar

from xpm_engine.errors import FilterError
from xpm_engine.filters.columns import Cell, Column, Table, text_of
from xpm_engine.filters.comparing import Comparer
from xpm_engine.filters.faults import fault, shown
from xpm_engine.filters.grammar import (
    EMPTY,
    All,
    Any,
    Comparison,
    Expression,
    Not,
    Span,
    Text,
)
from xpm_engine.filters.matching import Matcher
from xpm_engine.filters.names import FIELDS, TAG, Kind, flag_column, resolve, suggest
from xpm_engine.filters.parse import parse
from xpm_engine.filters.printing import quote, unparse

Item = TypeVar("Item")

_TEXT_FIELDS = ("id", "task", "exp", "reason")
"""Where a bare text is looked for, besides the tags."""

_HEXADECIMAL = re.compile(r"[0-9a-f]*\Z")


@dataclass(frozen=True)
class Selection:
    """Which rows of a table a filter selects."""

    mask: bytes
    """For each row 1 or 0."""
    faults: tuple[FilterError, ...] = ()
    """The names that no job has; then no row is selected, whatever the filter says besides."""

    @property
    def count(self) -> int:
        """How many rows are selected."""
        return self.mask.count(1)

    def of(self, items: Iterable[Item]) -> list[Item]:
        """Those of the items, one a row, that are selected."""
        return list(compress(items, self.mask))


@dataclass(frozen=True)
class Filter:
    """A filter whose values are read: it may be used for many tables, from any thread."""

    text: str
    expression: Expression
    matchers: Mapping[Comparison, Matcher]
    """What each comparison in the expression asks of a value."""

    @property
    def empty(self) -> bool:
        """Whether it asks nothing, and so selects every job."""
        return self.expression == EMPTY

    def select(self, table: Table, *, strict: bool = False) -> Selection:
        """The rows that it selects.

        A name that no job has selects nothing at all, and is told in `Selection.faults`; with
        `strict`, for whatever changes something, it is raised as FilterError.
        """
        evaluation = _Evaluation(self, table)
        mask = evaluation.mask(self.expression)
        if evaluation.faults:
            if strict:
                raise evaluation.faults[0]
            mask = 0
        return Selection(mask.to_bytes(table.rows, "little"), tuple(evaluation.faults))


def compile_filter(text: str, *, now: float) -> Filter:
    """Read a filter; `now`, in seconds since 1970, is what today and ages are counted from.

    Raises FilterError, with the span of the first fault.
    """
    expression = parse(text)
    comparer = Comparer(text, now=now)
    matchers = {test: comparer.matcher(test) for test in _comparisons(expression)}
    return Filter(text, expression, matchers)


def _comparisons(expression: Expression) -> Iterable[Comparison]:
    match expression:
        case Comparison():
            yield expression
        case Not(part):
            yield from _comparisons(part)
        case All(parts) | Any(parts):
            for part in parts:
                yield from _comparisons(part)
        case Text():
            return


class _Evaluation:
    """One filter on one table; masks are integers of a byte a row, so that they combine at once."""

    def __init__(self, chosen: Filter, table: Table) -> None:
        self._filter = chosen
        self._table = table
        self._ones = int.from_bytes(b"\1" * table.rows, "little")
        self.faults: list[FilterError] = []

    def mask(self, expression: Expression) -> int:
        match expression:
            case Not(part):
                return self._ones ^ self.mask(part)
            case All(parts):
                found = self._ones
                for part in parts:
                    found &= self.mask(part)
                return found
            case Any(parts):
                found = 0
                for part in parts:
                    found |= self.mask(part)
                return found
            case Text(text):
                return self._text(text.casefold())
            case Comparison():
                found = self._comparison(expression)
                return self._ones ^ found if expression.op.negative else found

    def _comparison(self, test: Comparison) -> int:
        name = test.name.casefold()
        matcher = self._filter.matchers[test]
        if name not in FIELDS:
            return self._named(test, matcher)
        if FIELDS[name].kind is Kind.FLAG:
            is_set = Matcher(booleans=frozenset((True,)))
            return self._any_column(test, map(flag_column, sorted(matcher.whole)), is_set.verdicts)
        return self._any_column(test, (name,), matcher.verdicts)

    def _any_column(
        self, test: Comparison, names: Iterable[str], verdicts: Callable[[Column], bytes]
    ) -> int:
        found = 0
        for name in names:
            column = self._table.column(name)
            if column is None:
                asked = name.replace(".", ":")
                self._tell(f"{asked} can't be asked here", test.span, hint=None)
            else:
                found |= _spread(column, verdicts(column))
        return found

    def _named(self, test: Comparison, matcher: Matcher) -> int:
        """A tag, else a parameter, else a metric: each job is asked by the first that it has."""
        known = self._table.names()
        groups = resolve(test.name, known)
        if not groups:
            self._tell_unknown(test)
        found, undecided = 0, self._ones
        for group in groups:
            matching = having = 0
            for name in group:
                column = self._table.column(name)
                if column is not None:
                    matching |= _spread(column, matcher.verdicts(column))
                    if group is not groups[-1]:
                        having |= _spread(column, column.present)
            found |= undecided & matching
            undecided &= self._ones ^ having
        return found

    def _text(self, text: str) -> int:
        found = 0
        held = Matcher(parts=(text,))
        for name in _TEXT_FIELDS:
            column = self._table.column(name)
            # An identifier is long to look through, and holds nothing else.
            if column is not None and (name != "id" or _HEXADECIMAL.match(text)):
                found |= _spread(column, held.verdicts(column))
        for name in self._table.names():
            column = self._table.column(name) if name.startswith(TAG) else None
            if column is not None:
                found |= _spread(column, _pairs_hold(text, name[len(TAG) :] + "=", column))
        return found

    def _tell_unknown(self, test: Comparison) -> None:
        close = suggest(test.name, self._table.names())
        quoted = shown(quote(unparse(test)))
        hint = f"quote it to look for the text: {quoted}"
        if close is not None:
            hint = f"did you mean {shown(close)}? To look for the text, quote it: {quoted}"
        what = f"{shown(test.name)!r} reads as a name, and no job has it"
        self._tell(what, test.span, hint=hint)

    def _tell(self, what: str, span: Span, *, hint: str | None) -> None:
        self.faults.append(fault(what, text=self._filter.text, span=span, hint=hint))


def _spread(column: Column, verdicts: bytes) -> int:
    return int.from_bytes(column.spread(verdicts), "little")


def _pairs_hold(text: str, before: str, column: Column) -> bytes:
    """For each of the column's values, whether ``name=value`` holds the text."""
    shown, first = column.shown, before.casefold()
    if shown is None:
        return bytes(_pair_holds(text, before, cell) for cell in column.values)
    return bytes([value is not None and text in first + value for value in shown])


def _pair_holds(text: str, before: str, cell: Cell) -> bool:
    """Whether ``name=value`` holds the text, for one of the cell's values."""
    values = cell if isinstance(cell, tuple) else (cell,)
    return any(text in (before + text_of(value)).casefold() for value in values)
