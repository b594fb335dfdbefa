"""From a comparison in a filter to what it asks of a column: units, words and patterns checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches

from xpm_engine.errors import FilterError
from xpm_engine.filters.faults import fault, shown
from xpm_engine.filters.grammar import Comparison, Op, Range, Value
from xpm_engine.filters.matching import Matcher
from xpm_engine.filters.names import FIELDS, FLAGS, Kind
from xpm_engine.filters.patterns import compile_pattern
from xpm_engine.filters.values import (
    Bounds,
    Measure,
    bounds_of,
    read_number,
    read_range,
)
from xpm_engine.workspace.records.states import JobState

STATES = tuple(state.value for state in JobState)

_BOOLEANS = {"true": True, "false": False}


class Comparer:
    """Reads the comparisons of one filter, whose text its errors show."""

    def __init__(self, text: str, *, now: float) -> None:
        self._text = text
        self._now = now

    def matcher(self, test: Comparison) -> Matcher:
        """What a value of the test's name must be; whether it is negated is left aside.

        Raises FilterError for a pattern, a unit or a date that can't be read, and for what a field
        can never be.
        """
        field = FIELDS.get(test.name.casefold())
        kind = None if field is None else field.kind
        if kind is Kind.FLAG:
            flags = self.flags(test)
            return Matcher(whole=frozenset(flags))
        if test.op in (Op.MATCHES, Op.NOT_MATCHES):
            return self._pattern(test, kind)
        if kind not in (None, Kind.TEXT) or not test.op.takes_lists:
            return self._numbers(test, kind)
        if test.name.casefold() == "state":
            self._check_states(test)
        return self._texts(test, kind)

    def flags(self, test: Comparison) -> tuple[str, ...]:
        """The flags that ``is:`` names; raises FilterError for others."""
        if not test.op.takes_lists:
            hint = "write is:live, or -is:live"
            raise self._fault(f"is{test.op.value} asks nothing", test.values[0], hint=hint)
        return tuple(self._word(value, FLAGS, before="is:") for value in test.values)

    def _pattern(self, test: Comparison, kind: Kind | None) -> Matcher:
        (value,) = test.values
        if kind not in (None, Kind.TEXT):
            raise self._misfit(test, kind, value)
        try:
            return Matcher(pattern=compile_pattern(value.text if isinstance(value, Value) else ""))
        except ValueError as error:
            hint = f"{test.name}:TEXT looks for text as it is"
            raise self._fault(str(error), value, hint=hint) from None

    def _numbers(self, test: Comparison, kind: Kind | None) -> Matcher:
        """Numbers alone: of a field that has nothing else, or for an operator that has an order."""
        bounds: list[Bounds] = []
        null = False
        for value in test.values:
            if test.op.takes_lists and _is_word(value, "none"):
                null = True
            else:
                bounds.append(self._bounds(test, kind, value))
        return Matcher(bounds=tuple(bounds), null=null, absent=null)

    def _texts(self, test: Comparison, kind: Kind | None) -> Matcher:
        """Anything: a bare value is a number, a word that stands for one value, or text."""
        bounds: list[Bounds] = []
        words: list[str] = []
        reserved: set[str] = set()
        for value in test.values:
            if isinstance(value, Range):
                bounds.append(self._bounds(test, kind, value))
                continue
            word = value.text.casefold()
            if not value.quoted and (word == "none" or (word in _BOOLEANS and kind is None)):
                reserved.add(word)
                continue
            words.append(word)
            if not value.quoted and kind is None:
                bounds.extend(self._perhaps_number(value, test.op))
        contains = test.op is Op.HOLDS
        return Matcher(
            bounds=tuple(bounds),
            nan=any(_is_word(value, "nan") for value in test.values),
            whole=frozenset(reserved if contains else (*reserved, *words)),
            parts=tuple(words) if contains else (),
            booleans=frozenset(_BOOLEANS[word] for word in reserved if word in _BOOLEANS),
            null="none" in reserved,
            absent="none" in reserved and kind is not None,
        )

    def _perhaps_number(self, value: Value, op: Op) -> list[Bounds]:
        try:
            number = read_number(value.text, now=self._now)
        except ValueError:  # a date that does not exist is text like any other
            return []
        return [] if number is None else [bounds_of(number, op)]

    def _bounds(self, test: Comparison, kind: Kind | None, value: Value | Range) -> Bounds:
        """The interval that a value asks for; raises FilterError where it asks for none."""
        try:
            bounds, measures = self._interval(value, test.op)
        except ValueError as error:
            raise self._fault(str(error), value, hint="a date is YYYY-MM-DD") from None
        if bounds is None or (kind is not None and not measures <= kind.measures):
            raise self._misfit(test, kind, value)
        if kind is Kind.SHARE and Measure.PLAIN in measures and _beyond_one(bounds):
            raise self._fault(f"{test.name} goes from 0 to 1", value, hint="or in percent: 50%")
        return bounds.before(self._now) if kind is Kind.AGE else bounds

    def _interval(self, value: Value | Range, op: Op) -> tuple[Bounds | None, frozenset[Measure]]:
        if isinstance(value, Range):
            return read_range(value, now=self._now)
        number = None if value.quoted else read_number(value.text, now=self._now)
        if number is None:
            return None, frozenset()
        return bounds_of(number, op), frozenset((number.measure,))

    def _check_states(self, test: Comparison) -> None:
        """Refuse words that no state has: negated, a slip would select every job."""
        for value in test.values:
            if isinstance(value, Range) or _is_word(value, "none"):
                continue
            word = value.text.lower()
            if test.op is not Op.HOLDS or not any(word in state for state in STATES):
                self._word(value, STATES, before="state:")

    def _word(self, value: Value | Range, words: Sequence[str], *, before: str) -> str:
        text = value.text if isinstance(value, Value) else ".."
        if text.lower() in words:
            return text.lower()
        close = get_close_matches(text.lower(), words, n=1)
        hint = f"did you mean {before}{close[0]}?" if close else "it is one of " + ", ".join(words)
        raise self._fault(f"no job is ever {shown(text)!r}", value, hint=hint)

    def _misfit(self, test: Comparison, kind: Kind | None, value: Value | Range) -> FilterError:
        """What the name is, and so can't be compared with."""
        if kind is None:
            return self._fault(
                f"{test.op.value} compares numbers and dates", value, hint="use : or = for text"
            )
        what = f"{shown(test.name)} can't be compared so"
        return self._fault(what, value, hint=f"{test.name.lower()} is {kind.value}")

    def _fault(self, what: str, value: Value | Range, *, hint: str) -> FilterError:
        return fault(what, text=self._text, span=value.span, hint=hint)


def _is_word(value: Value | Range, word: str) -> bool:
    return isinstance(value, Value) and not value.quoted and value.text.casefold() == word


def _beyond_one(bounds: Bounds) -> bool:
    return any(abs(side) > 1 for side in (bounds.low, bounds.high) if not math.isinf(side))
