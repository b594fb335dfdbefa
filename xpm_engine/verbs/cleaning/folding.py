"""Rows of a plan that are alike, as one: thousands of rows that can be read.

Alike are jobs of one task under one title that go for the same reason, of which either somebody
needs each or nobody any, and files, logs, runs and folders likewise. A large group is divided by
the values of a tag; where a task has more groups than are read at a glance, these are parts of one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.verbs.cleaning.offers import OfferRow, Section
from xpm_engine.words import plural
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.trash import PieceKind

LEAST = 4
"""So many rows that are alike stand in one; fewer are read as quickly one by one."""

MOST_PARTS = 12
"""More rows and groups than that of one task stand in one; more in a group are divided."""

MOST_VALUES = 40
"""A tag with more values than that divides nothing."""

_NOUNS = {
    PieceKind.LEFTOVERS: "attempt",
    PieceKind.FILE: "file",
    PieceKind.LOG: "log",
    PieceKind.RUN: "run",
    PieceKind.SHARED: "folder",
}


@dataclass(frozen=True)
class FoldKey:
    """What a group is found again by."""

    section: Section
    subject: str
    """The task, or the experiment of runs."""
    refused: str
    needed: bool
    alike: str | None
    """Why all of it goes; None for a group of groups."""
    level: int = 0
    """How generally that is told."""
    values: tuple[str, ...] = ()
    """The tags and values that it was divided by."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows that are alike."""

    key: FoldKey
    parts: tuple[FoldPart, ...]
    """At least two."""

    @cached_property
    def rows(self) -> tuple[OfferRow, ...]:
        """All that it stands for, one by one."""
        return tuple(_flat(self.parts))

    @cached_property
    def offers(self) -> frozenset[Offer]:
        return frozenset(row.offer for row in self.rows)

    @property
    def noun(self) -> str:
        """What its rows are: ``job``, ``file``…"""
        offer = self.rows[0].offer
        return "job" if isinstance(offer, JobKey) else _NOUNS[offer.kind]

    @property
    def count(self) -> str:
        """``5 jobs``."""
        return plural(len(self.rows), self.noun)

    @cached_property
    def why(self) -> str:
        """Why all of it is offered, as far as one reason can be told."""
        reasons = {row.why for row in self.rows}
        for level in range(max(len(row.likeness) for row in self.rows)):
            if len(reasons) == 1:
                break
            reasons = {_likeness(row, level) for row in self.rows}
        return reasons.pop() if len(reasons) == 1 else plural(len(reasons), "reason")


FoldPart = Fold | OfferRow


def fold(rows: Iterable[OfferRow]) -> tuple[FoldPart, ...]:
    """The rows in their order, where several are alike a group of them in the place of the first.

    Pure: nothing is read.
    """
    found: list[FoldPart] = []
    for together in _grouped(rows, _kind):
        key = _key(together[0], None)
        parts = _alike(together, 0)
        if len(parts) > MOST_PARTS:
            found.append(Fold(key, parts))
        else:
            found += parts
    return tuple(found)


def _alike(rows: Sequence[OfferRow], level: int) -> tuple[FoldPart, ...]:
    """Groups of the rows of the same reason; where these are few, of more or less the same."""
    place = {row.offer: number for number, row in enumerate(rows)}
    found: list[FoldPart] = []
    single: list[OfferRow] = []
    for alike in _grouped(rows, lambda row: _likeness(row, level)):
        if len(alike) < LEAST:
            single += alike
        else:
            key = _key(alike[0], _likeness(alike[0], level))
            found.append(_group(replace(key, level=level), alike))
    if single and level + 1 < max(len(row.likeness) for row in single):
        single.sort(key=lambda row: place[row.offer])
        found += _alike(single, level + 1)
    else:
        found += single
    found.sort(key=lambda part: place[(part.rows[0] if isinstance(part, Fold) else part).offer])
    return tuple(found)


def _group(key: FoldKey, rows: Sequence[OfferRow]) -> Fold:
    if len(rows) <= MOST_PARTS:
        return Fold(key, tuple(rows))
    # Tags are unpacked once, and kept no longer than the group is divided.
    return Fold(key, _divided(key, [_Tagged(row, row.tags) for row in rows]))


class _Tagged(NamedTuple):
    """A row with its tags."""

    row: OfferRow
    tags: Mapping[str, Any]

    def value(self, name: str) -> str:
        """Of a tag, as it is told apart; empty where there is none."""
        return repr(self.tags[name]) if name in self.tags else ""


def _divided(key: FoldKey, rows: Sequence[_Tagged]) -> tuple[FoldPart, ...]:
    """The rows of a group; of a large one in groups by the tag that has the fewest values."""
    name = None if len(rows) <= MOST_PARTS else _divider(rows)
    if name is None:
        return tuple(each.row for each in rows)
    found: list[FoldPart] = []
    for same in _grouped(rows, lambda each: each.value(name)):
        inner = replace(key, values=(*key.values, f"{name}={same[0].value(name)}"))
        if len(same) < LEAST:
            found += (each.row for each in same)
        else:
            found.append(Fold(inner, _divided(inner, same)))
    return tuple(found)


def _divider(rows: Sequence[_Tagged]) -> str | None:
    best: tuple[int, str] | None = None
    for name in rows[0].tags:
        most = min(MOST_VALUES, len(rows) // LEAST) if best is None else best[0] - 1
        count = _count_values(rows, name, most)
        if 1 < count <= most:
            best = count, name
    return None if best is None else best[1]


def _count_values(rows: Iterable[_Tagged], name: str, most: int) -> int:
    """How many values a tag has in these rows; more than `most` are not counted."""
    values: set[str] = set()
    for row in rows:
        values.add(row.value(name))
        if len(values) > most:
            break
    return len(values)


_Row = TypeVar("_Row", OfferRow, _Tagged)
_Group = TypeVar("_Group", bound=Hashable)


def _grouped(rows: Iterable[_Row], by: Callable[[_Row], _Group]) -> Collection[list[_Row]]:
    groups: defaultdict[_Group, list[_Row]] = defaultdict(list)
    for row in rows:
        groups[by(row)].append(row)
    return groups.values()


def _likeness(row: OfferRow, level: int) -> str:
    """Why, told the more generally the higher the level."""
    likeness = row.likeness
    return likeness[level if level < len(likeness) else -1]


def _key(row: OfferRow, alike: str | None) -> FoldKey:
    _, subject, refused, needed = _kind(row)
    return FoldKey(row.section, subject, refused, needed, alike)


def _kind(row: OfferRow) -> tuple[str, str, str, bool]:
    """What rows of one group have in common besides their reason."""
    subject = row.offer.task if isinstance(row.offer, JobKey) else row.offer.names[0]
    # The name of a section: its own hash is slow, and very many rows are asked.
    return row.section.name, subject, row.refused, bool(row.needs)


def _flat(parts: Sequence[FoldPart]) -> Iterator[OfferRow]:
    for part in parts:
        if isinstance(part, Fold):
            yield from _flat(part.parts)
        else:
            yield part
