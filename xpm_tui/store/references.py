"""The lines of a run by the job that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from xpm_engine.workspace.index import PackedReferences
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import Reference


class References(Mapping[JobKey, Reference]):
    """The lines of a run by the job that they name, each read when it is asked for."""

    def __init__(self, lines: PackedReferences) -> None:
        self._lines = lines

    @cached_property
    def places(self) -> dict[JobKey, int]:
        """Of each job, its place in the plan."""
        return dict(zip(self._lines.keys, range(len(self._lines)), strict=True))

    def grow(self, lines: PackedReferences) -> None:
        """Take more lines behind those that are here."""
        start, self._lines = len(self._lines), lines
        if "places" in self.__dict__:
            self.places.update(zip(lines.keys[start:], range(start, len(lines)), strict=True))

    def __getitem__(self, key: JobKey) -> Reference:
        return self._lines[self.places[key]]

    def __contains__(self, key: object) -> bool:
        return key in self.places

    def __iter__(self) -> Iterator[JobKey]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)
