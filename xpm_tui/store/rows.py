"""Many jobs at once: their states as bytes, and a list of jobs that are made when they are seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import compress
from typing import Any, Protocol, TypeAlias, overload

from xpm_engine.workspace.index import JobRow
from xpm_engine.workspace.index.packing import PACKED_STATES
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_tui.store.model import FAILURES, IMPORTANCE, Job
from xpm_tui.store.ranking import ranking

Order: TypeAlias = Callable[[Job], Any]
"""What a job is sorted by: a number, a text or None."""

FEW = 2_000
"""Jobs that can be asked one by one while somebody waits."""

STATES = IMPORTANCE
"""The states by their codes, the most important first."""

CODE_OF = {state: code for code, state in enumerate(STATES)}
FAILED_CODES = frozenset(CODE_OF[state] for state in FAILURES)

_OF_PACKED = tuple(CODE_OF[state] for state in PACKED_STATES)
_NONE = CODE_OF[JobState.NOT_SUBMITTED]
_ONLY = [bytes(byte == code for byte in range(256)) for code in range(len(STATES))]


def codes_of(rows: Iterable[JobRow | None]) -> bytearray:
    """The codes of the states that these rows tell; None for no folder."""
    return bytearray(
        [
            _OF_PACKED[row[0]]
            if isinstance(row, bytes)
            else (_NONE if row is None else CODE_OF[row.state])
            for row in rows
        ]
    )


def by_code(keys: Sequence[JobKey], codes: bytes) -> tuple[JobKey, ...]:
    """These jobs, those of the lowest code first, else in their order."""
    found: list[JobKey] = []
    for code in sorted(set(codes)):
        found += compress(keys, codes.translate(_ONLY[code]))
    return tuple(found)


class RanksOf(Protocol):
    """Asks many jobs what to sort them by, as `JobList.ranks` does."""

    def __call__(
        self, keys: Sequence[JobKey], by: str, order: Order, *, reverse: bool
    ) -> Sequence[float] | None: ...


class JobList(Sequence[Job]):
    """Jobs by their keys; one is made when it is looked at, for most of many never are."""

    def __init__(
        self,
        keys: Sequence[JobKey],
        job_of: Callable[[JobKey], Job],
        codes_of: Callable[[Sequence[JobKey]], bytes],
        ranks_of: RanksOf,
    ) -> None:
        """`codes_of` tells the states of many, as places in `STATES`; `ranks_of` is what `ranks`
        asks of many."""
        self.keys = keys
        self._job_of = job_of
        self._codes_of = codes_of
        self._ranks_of = ranks_of

    def among(self, states: Collection[JobState]) -> list[Job]:
        """Those in one of these states."""
        wanted = frozenset(map(CODE_OF.__getitem__, states))
        codes = self._codes_of(self.keys)
        mask = codes.translate(bytes(code in wanted for code in range(256)))
        return list(map(self._job_of, compress(self.keys, mask)))

    def take(self, keys: Sequence[JobKey]) -> JobList:
        """Some of these jobs, in this order."""
        return JobList(keys, self._job_of, self._codes_of, self._ranks_of)

    def ranks(self, by: str, order: Order, *, reverse: bool) -> Sequence[float] | None:
        """A number for each job to sort by, in the order of what `order` says of it.

        Of many, the column `by` is asked instead of the jobs; None while there is none yet.
        """
        if len(self.keys) > FEW:
            return self._ranks_of(self.keys, by, order, reverse=reverse)
        return ranking(list(map(order, self)), reverse=reverse)

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, place: int) -> Job: ...
    @overload
    def __getitem__(self, place: slice) -> JobList: ...
    def __getitem__(self, place: int | slice) -> Job | JobList:
        if isinstance(place, slice):
            return self.take(self.keys[place])
        return self._job_of(self.keys[place])

    def __iter__(self) -> Iterator[Job]:
        return map(self._job_of, self.keys)


def jobs_among(jobs: Iterable[Job], states: Collection[JobState]) -> list[Job]:
    """The jobs in one of these states; quick where there are very many."""
    if isinstance(jobs, JobList):
        return jobs.among(states)
    return [job for job in jobs if job.state in states]
