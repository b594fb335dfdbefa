"""Jobs for tests of filters: rows in words, without a folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xpm_engine.filters import FIELDS, FLAGS, Cell, Getters, RowTable, compile_filter, flag_column

NOW = time.mktime((2026, 11, 23, 12, 0, 0, 0, 0, -1))
"""Monday, 23 November 2026, noon, in the local time zone: what filters in tests count from."""

DAY = 86_400.0


@dataclass(frozen=True)
class FakeJob:
    """One row; fields by their names, flags in a set."""

    name: str
    fields: Mapping[str, Cell] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    tags: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


def job(
    name: str,
    *,
    flags: str = "",
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    **fields: Cell,
) -> FakeJob:
    """A job with these fields: ``started`` and ``ended`` in seconds since 1970."""
    return FakeJob(name, fields, frozenset(flags.split()), tags or {}, params or {}, metrics or {})


def _field(name: str) -> Any:
    return lambda row: row.fields.get(name)


def _flag(name: str) -> Any:
    return lambda row: name in row.flags


GETTERS: Getters[FakeJob] = Getters(
    {
        **{name: _field(name) for name in FIELDS if name != "is"},
        **{flag_column(name): _flag(name) for name in FLAGS},
    },
    tags=lambda row: row.tags,
    params=lambda row: row.params,
    metrics=lambda row: row.metrics,
)


def table(jobs: Sequence[FakeJob]) -> RowTable[FakeJob]:
    """The jobs as a table of which everything can be asked."""
    return RowTable(jobs, GETTERS)


def chosen(text: str, jobs: Sequence[FakeJob], *, strict: bool = True) -> str:
    """The names of the jobs that a filter selects, in their order: ``a b``."""
    selection = compile_filter(text, now=NOW).select(table(jobs), strict=strict)
    found = selection.of(jobs)
    assert len(selection.mask) == len(jobs)
    assert selection.count == len(found)
    return " ".join(row.name for row in found)
