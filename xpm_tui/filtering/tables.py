"""Jobs as the filter language asks them: some, all at once, all with their marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xpm_engine.filters import Column, Filter, Table, flag_column
from xpm_engine.workspace.layout import JobKey
from xpm_tui.store.columns import AllColumns
from xpm_tui.store.rows import FEW

ON_DISK = "size"
"""What is measured when a filter asks for it: in a thread."""

SLOWLY_MADE = ("needs", "neededby", "launcher")
"""Fields whose column takes longer to make than a key may, and that few ask for."""


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the jobs, with the names of all."""

    table: Table
    known: Sequence[str]

    @property
    def rows(self) -> int:
        return self.table.rows

    def names(self) -> Sequence[str]:
        return self.known

    def column(self, name: str) -> Column | None:
        return self.table.column(name)


@dataclass(frozen=True, eq=False)
class Ready(Part):
    """All jobs, as far as a key can ask them at once."""

    def column(self, name: str) -> Column | None:
        waits = name == ON_DISK or (name in SLOWLY_MADE and self.rows > FEW)
        return None if waits else super().column(name)


@dataclass(frozen=True, eq=False)
class Marked(Part):
    """All jobs, and which of them are marked."""

    keys: Sequence[JobKey]
    marks: frozenset[JobKey]

    def column(self, name: str) -> Column | None:
        if name == flag_column("marked"):
            return Column((False, True), bytes(key in self.marks for key in self.keys))
        return super().column(name)


def lacking(columns: AllColumns) -> Iterator[str]:
    """The fields that take long at first."""
    return (name for name in SLOWLY_MADE if not columns.has(name))


def asks(chosen: Filter, name: str) -> bool:
    """Whether a filter asks for a field, or for a flag by its column's name."""
    for test, matcher in chosen.matchers.items():
        field = test.name.casefold()
        asked = map(flag_column, matcher.whole) if field == "is" else (field,)
        if name in asked:
            return True
    return False
