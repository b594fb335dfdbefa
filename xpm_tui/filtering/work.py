"""What is to be asked of which jobs, in whichever thread, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from xpm_engine.collecting import not_collecting
from xpm_engine.errors import FilterError
from xpm_engine.filters import Filter, RowTable
from xpm_engine.verbs.jobs.facts import JobFacts, SeenJob
from xpm_engine.verbs.jobs.snapshots import Snapshot
from xpm_engine.workspace.layout import JobKey
from xpm_tui.filtering.tables import Marked, Part
from xpm_tui.store.columns import AllColumns
from xpm_tui.store.rows import FEW
from xpm_tui.store.selected import Roll, Selected


@dataclass(frozen=True)
class Work:
    """A filter and the jobs that it is to be asked of."""

    chosen: Filter
    facts: Sequence[JobFacts[SeenJob]]
    """The jobs that are asked one by one: they changed, or it asks what no column tells."""
    table: RowTable[JobFacts[SeenJob]]
    """These as a table."""
    columns: AllColumns | Snapshot | None
    """All others; None for no others."""
    known: Sequence[str]
    """The names that can be asked, as far as no column tells them."""
    marks: frozenset[JobKey]
    apart: frozenset[JobKey]
    """The jobs of which the columns tell what was before."""
    asked: frozenset[JobKey] | None
    """The jobs that changed since the last answer; None if all jobs are asked."""

    def run(self) -> Answer:
        """Ask; from any thread."""
        if not isinstance(self.columns, Snapshot):
            return self._asked(self.columns)
        with not_collecting():
            columns = AllColumns(self.columns)
            if columns.rows > FEW:
                columns.warm()
            return self._asked(columns)

    def _asked(self, columns: AllColumns | None) -> Answer:
        names = dict.fromkeys((*self.known, *self.table.names()))
        names.update({} if columns is None else dict.fromkeys(columns.names()))
        known = tuple(names)
        part = self.chosen.select(Part(self.table, known))
        faults = part.faults
        keys: Set[JobKey] = frozenset(facts.job.key for facts in part.of(self.facts))
        if columns is not None:
            selection = self.chosen.select(Marked(columns, known, columns.keys, self.marks))
            faults = faults or selection.faults
            apart = self.apart.union(facts.job.key for facts in self.facts)
            keys = Selected(columns.roll, selection.mask).revised(apart, keys)
        elif self.asked is None:
            keys = Selected(Roll([facts.job.key for facts in self.facts]), part.mask)
        if faults:
            keys = Selected(Roll(()), b"") if self.asked is None else frozenset()
        return Answer(self, keys, faults, columns)


@dataclass(frozen=True)
class Answer:
    """What came of a `Work`."""

    work: Work
    keys: Set[JobKey]
    """The jobs that are selected, among those that were asked."""
    faults: tuple[FilterError, ...]
    """Names that no job has; then none is selected."""
    columns: AllColumns | None = None
    """All jobs as columns, where they were needed."""
