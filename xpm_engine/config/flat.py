"""What a run's manifest tells of a job's parameters, straight from the sealed objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from xpm_engine.config.codec import to_json
from xpm_engine.config.fields import MISSING
from xpm_engine.config.identifier import Hasher
from xpm_engine.config.node import BEFORE, Node, schema_of, state_of
from xpm_engine.config.scalars import IMMUTABLE
from xpm_engine.config.schema import Schema
from xpm_engine.workspace.records.flat import flatten_rows


def flat_of(nodes: Sequence[Node]) -> dict[str, Any]:
    """What `flatten` gives for the record of these sealed objects, parts first, without it."""
    return flatten_rows(len(nodes) - 1, _Rows(nodes))


class _Rows:
    """Sealed objects as `flatten_rows` sees them."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._rows = {id(node): row for row, node in enumerate(nodes)}
        self._hasher = Hasher()

    def class_name(self, row: int) -> str:
        return type(self._nodes[row]).__qualname__.rpartition(".")[2]

    def is_output(self, row: int) -> bool:
        state = state_of(self._nodes[row])
        return (state.job or state.producer) is not None

    def fields(self, row: int) -> Iterator[tuple[str, Any]]:
        node = self._nodes[row]
        values = node.__dict__
        for name, left, default in _defaults(schema_of(node)):
            if name in values:
                value: object = values[name]
                if value is left and type(value) in IMMUTABLE:
                    continue
                if default is None or self._hasher.value(value) != default:
                    yield name, to_json(value, self._rows)
        before = state_of(node).before
        if before:
            yield BEFORE, [to_json(each, self._rows) for each in before]


@cache
def _defaults(schema: Schema) -> tuple[tuple[str, object, bytes | None], ...]:
    """Name, default and encoded default of what may be set; None where there is no default."""
    return tuple(
        (p.name, p.shared_default(), Hasher().value(p.shared_default()))
        if p.has_default
        else (p.name, MISSING, None)
        for p in schema.settable.values()
    )
