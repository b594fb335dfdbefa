"""Jobs that several experiments have in common: each of them counts once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from xpm_engine.workspace.layout import JobKey
from xpm_tui.store.model import Counts
from xpm_tui.store.run_index import RunIndex


class SharedJobs:
    """What the runs have in common that stand for experiments."""

    def __init__(self) -> None:
        self._made_of: list[tuple[RunIndex, int]] = []
        self._again: list[Collection[JobKey]] = []

    def counts(self, indexes: Sequence[RunIndex]) -> Iterator[Counts]:
        """The jobs of each run, without those that a run before it has counted."""
        made_of = [(index, len(index.keys)) for index in indexes]
        if made_of != self._made_of:
            self._made_of = made_of
            self._again = list(_again(indexes))
        for index, again in zip(indexes, self._again, strict=True):
            yield index.counts_without(again) if again else index.counts


def _again(indexes: Sequence[RunIndex]) -> Iterator[Collection[JobKey]]:
    """The jobs of each run that a run before it has."""
    seen: set[JobKey] = set()
    for index in indexes:
        keys = index.references.places.keys()
        yield seen & keys
        if index is not indexes[-1]:
            seen |= keys
