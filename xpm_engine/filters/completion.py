"""What may come next in a filter, while it is typed: names, then the values that jobs have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from xpm_engine.filters.columns import Column, Scalar, Table, text_of
from xpm_engine.filters.grammar import NAME, OPERATOR, Op
from xpm_engine.filters.names import (
    FIELDS,
    FLAGS,
    METRIC,
    PARAM,
    TAG,
    Kind,
    flag_column,
    resolve,
)
from xpm_engine.filters.printing import is_bare, quote

MOST = 20
"""Completions that are offered at once."""

MANY = 1_000
"""Different values of a name that are too many to offer: more must be typed first."""

LONGEST = 80
"""Characters of a value that is offered; longer ones are found by a part of them."""

_WORD = re.compile(r'(?:[^\s"()]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
_ITEM = re.compile(r'(?:[^\s",()]|"(?:[^"\\]|\\.)*"?)*', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass(frozen=True)
class Completion:
    """One thing that may stand there."""

    text: str
    """What to put there, quoted where it must be."""
    count: int | None = None
    """How many jobs have this value; None for a name."""
    help: str = ""
    """What a name is."""


@dataclass(frozen=True)
class Completions:
    """What may stand at one place of a filter."""

    start: int
    """From here …"""
    end: int
    """… to here a completion replaces what is there."""
    items: tuple[Completion, ...]
    """The best first: names in the order fields, tags, parameters, metrics; values by count."""

    def apply(self, text: str, item: Completion) -> str:
        """The filter `text` with a completion put in."""
        return text[: self.start] + item.text + text[self.end :]


def complete(text: str, cursor: int, table: Table) -> Completions:
    """What may stand where the cursor is in `text`, between 0 and its length; never raises."""
    start, end = _word_at(text, cursor)
    while start < cursor and text[start] == "-":
        start += 1
    name = NAME.match(text, start, end)
    operator = None if name is None else OPERATOR.match(text, name.end(), end)
    if name is None or operator is None or cursor < operator.end():
        end = end if name is None or operator is None else name.end()
        suffix = operator is None
        names = _names(table, text[start:cursor].casefold(), with_operator=suffix)
        return Completions(start, end, tuple(names)[:MOST])
    start = operator.end()
    while True:
        item = _ITEM.match(text, start, end)
        stop = start if item is None else item.end()
        if stop >= cursor or stop >= end:
            break
        start = stop + 1
    typed = _ESCAPED.sub(r"\1", text[start:cursor].removeprefix('"'))
    values = _values(table, name[0], Op(operator[0]), typed.casefold())
    return Completions(start, stop, tuple(values)[:MOST])


def _word_at(text: str, cursor: int) -> tuple[int, int]:
    """The word that ends at the cursor or goes on over it; an empty one between words."""
    for word in _WORD.finditer(text):
        if word.start() < cursor <= word.end():
            return word.span()
    return cursor, cursor


def _names(table: Table, typed: str, *, with_operator: bool) -> list[Completion]:
    """The names that begin with what was typed, then those a later part of which does."""
    forced = typed.startswith((TAG, PARAM, METRIC))
    offered = list(_forced_names(table) if forced else _offered_names(table))
    first = [item for item in offered if item[0].casefold().startswith(typed)]
    later = [item for item in offered if item not in first and _inside(item[0], typed)]
    return [
        Completion(name + (operator if with_operator else ""), help=words)
        for name, operator, words in (*first, *later)
    ]


def _forced_names(table: Table) -> Iterator[tuple[str, str, str]]:
    for column in table.names():
        if column.startswith((TAG, PARAM, METRIC)) and NAME.fullmatch(column):
            yield column, ">" if column.startswith(METRIC) else ":", ""


def _offered_names(table: Table) -> Iterator[tuple[str, str, str]]:
    """The shortest text that names each column, its usual operator, and what it is."""
    known = table.names()
    asked = frozenset(known)
    for name, field in FIELDS.items():
        if field.kind is Kind.FLAG or name in asked:
            yield name, ":" if field.kind in (Kind.TEXT, Kind.FLAG) else ">", field.help
    last_parts = Counter(name.rpartition(".")[2] for name in known if name.startswith(PARAM))
    for column in known:
        prefix, _, path = column.partition(".")
        if not NAME.fullmatch(path):
            continue
        short = path.rpartition(".")[2]
        if column.startswith(TAG):
            yield _shortest(column, [path], known), ":", "tag"
        elif column.startswith(PARAM):
            names = [short, path] if last_parts[short] == 1 else [path]
            yield _shortest(column, names, known), ":", f"parameter {path}"
        elif prefix + "." == METRIC:
            yield _shortest(column, [path], known), ">", "metric"


def _shortest(column: str, names: Iterable[str], known: Sequence[str]) -> str:
    """The first name that is no field's and means this column first; else the column's own."""
    for name in names:
        groups = resolve(name, known)
        if name.casefold() not in FIELDS and groups and column in groups[0]:
            return name
    return column


def _inside(name: str, typed: str) -> bool:
    return any(part.startswith(typed) for part in re.split(r"[._/-]", name.casefold()))


def _values(table: Table, name: str, op: Op, typed: str) -> list[Completion]:
    """The values that begin with what was typed, then those that hold it; frequent ones first."""
    field = FIELDS.get(name.casefold())
    if field is not None and field.kind is Kind.MOMENT and op is not Op.MATCHES:
        days = ("today", "yesterday")
        return [Completion(day) for day in days if day.startswith(typed)]
    if not op.takes_lists:
        return []
    counts = Counter[Scalar]()
    if field is None:
        columns = list(chain.from_iterable(resolve(name, table.names())))
        if any(_has_too_many(table.column(column)) for column in columns):
            return []
        for column in columns:
            counts.update(_counts(table, column, typed))
    elif field.kind is Kind.FLAG:
        for flag in FLAGS:
            flagged = table.column(flag_column(flag))
            counts[flag] = 0 if flagged is None else flagged.counts()[True]
    elif field.kind is Kind.TEXT:
        counts.update(_counts(table, name.casefold(), typed))
        del counts[None]
    return [] if len(counts) > MANY else _offered_values(counts, typed)


def _has_too_many(column: Column | None) -> bool:
    """Whether so many numbers stand there that none is offered: to count each takes far longer."""
    if column is None or not column.numeric or column.sets is not None:
        return False
    return len({cell for cell in column.values if cell == cell}) > MANY  # noqa: PLR0124 (NaN)


def _counts(table: Table, name: str, typed: str) -> Counter[Scalar]:
    column = table.column(name)
    if column is None:
        return Counter[Scalar]()
    texts = column.texts if column.codes is None and column.sets is None else None
    if texts is None:
        return column.counts()
    # Identifiers are as many as jobs: those that are left out need not be counted.
    pairs = zip(column.values, texts, strict=True)
    return Counter(str(value) for value, text in pairs if text and typed in text)


def _offered_values(counts: Counter[Scalar], typed: str) -> list[Completion]:
    found: list[tuple[bool, int, str]] = []
    for value, count in counts.items():
        shown = text_of(value)
        folded = shown.casefold()
        if count and typed in folded and shown.isprintable() and len(shown) <= LONGEST:
            found.append((not folded.startswith(typed), -count, _as_value(value, shown)))
    return [Completion(text, -count) for _, count, text in sorted(found)]


def _as_value(value: Scalar, shown: str) -> str:
    if not isinstance(value, str):
        return shown
    return shown if is_bare(shown) and shown.lower() != "none" else quote(shown)
