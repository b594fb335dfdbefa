"""How many jobs are in each state: kept while they change, or counted from a byte a job."""

from __future__ import annotations

from collections import Counter

from xpm_engine.workspace.records.states import JobState
from xpm_tui.store.model import Counts
from xpm_tui.store.rows import STATES

CODE, FOUND_DONE = 0x0F, 0x10
"""Where a job's byte has the code of its state, and where that it was done before."""

_DONE = STATES.index(JobState.DONE)


class Tally:
    """Counts that are kept while jobs change."""

    def __init__(self) -> None:
        self.of: Counter[int] = Counter()
        self.reused = 0

    def add(self, code: int, reused: int, step: int) -> None:
        self.of[code] += step
        if reused and code == _DONE:
            self.reused += step

    def counts(self) -> Counts:
        of = {STATES[code]: count for code, count in sorted(self.of.items()) if count}
        return Counts(of, self.reused)


def counts_in(cells: bytes) -> Counts:
    """Of what a byte says of each job."""
    tally = Tally()
    for cell in set(cells):
        tally.add(cell & CODE, cell & FOUND_DONE, cells.count(cell))
    return tally.counts()
