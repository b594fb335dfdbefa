"""A clean as JSON, in parts that are short enough for one message each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.cleaning import Transaction
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.trash import Left, Piece, Removal

PART = 200
"""Rows in one message: parameters can be long, and it must stay below 1 MiB."""


def clean_to_json(clean: Transaction) -> Iterator[dict[str, Any]]:
    """The head, then the rows."""
    yield {
        "name": clean.name,
        "at": clean.at,
        "user": clean.user,
        "host": clean.host,
        "unfinished": clean.unfinished,
        "problem": clean.problem,
        "cause": clean.cause,
    }
    for removals in parts_of(clean.removals):
        yield {"removals": [item.to_json() for item in removals]}
    for pieces in parts_of(clean.pieces):
        yield {"pieces": [item.to_json() for item in pieces]}
    for left in parts_of(clean.left):
        yield {"left": [item.to_json() for item in left]}


def cleans_from_json(parts: Iterable[Fields]) -> Iterator[Transaction]:
    """The cleans that these parts tell of, in their order. Raises UnreadableError."""
    found: Transaction | None = None
    for part in parts:
        if "name" in part.data:
            if found is not None:
                yield found
            found = _head(part)
        elif found is not None:
            found = _longer(found, part)
    if found is not None:
        yield found


def parts_of(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The rows, so many at a time as fit in a message."""
    for start in range(0, len(rows), PART):
        yield rows[start : start + PART]


def _head(fields: Fields) -> Transaction:
    return Transaction(
        name=fields.text("name"),
        at=fields.text("at"),
        user=fields.text("user"),
        host=fields.text("host"),
        removals=(),
        unfinished=fields.flag("unfinished"),
        problem=fields.text("problem"),
        cause=fields.optional_text("cause") or "",
    )


def _longer(clean: Transaction, fields: Fields) -> Transaction:
    return replace(
        clean,
        removals=(*clean.removals, *map(Removal.read, fields.parts("removals"))),
        pieces=(*clean.pieces, *map(Piece.read, fields.parts("pieces"))),
        left=(*clean.left, *map(_left, fields.parts("left"))),
    )


def _left(fields: Fields) -> Left:
    key = None
    if fields.optional_text("task"):
        try:
            key = JobKey.parse(f"{fields.text('task')}/{fields.text('id')}")
        except ValueError as error:
            raise UnreadableError(str(error), where=fields.where) from None
    return Left(key, fields.text("why"))
