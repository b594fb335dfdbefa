"""Jobs by their names, each unpacked when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xpm_engine.workspace.index.packing import (
    JobRow,
    alias_in,
    dependencies_in,
    record_of,
    shared_in,
    state_of,
    tried_once,
)
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord


class Records(Mapping[JobKey, JobRecord]):
    """What is known of jobs; what lists ask of each is answered without unpacking it."""

    def __init__(self, rows: Mapping[JobKey, JobRow]) -> None:
        self.rows = rows

    def __getitem__(self, key: JobKey) -> JobRecord:
        return record_of(key, self.rows[key])

    def __iter__(self) -> Iterator[JobKey]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def states(self) -> Iterator[tuple[JobKey, JobState]]:
        """Every job with its state."""
        return ((key, state_of(row)) for key, row in self.rows.items())

    def tried_again(self) -> Iterator[JobKey]:
        """The jobs that had more than one attempt."""
        return (key for key, row in self.rows.items() if not tried_once(row))

    def pinned(self) -> frozenset[JobKey]:
        """The jobs that somebody pinned; none that is packed is."""
        rows = self.rows.items()
        return frozenset(key for key, row in rows if isinstance(row, JobRecord) and row.pinned)

    def packed(self, key: JobKey) -> bool:
        """Whether a job's record can be read for certain, and can't change by itself."""
        return isinstance(self.rows.get(key), bytes)

    def dependencies(self, key: JobKey) -> tuple[JobKey, ...]:
        """The jobs that one is made from directly, as its record says; none for no job."""
        row = self.rows.get(key)
        return () if row is None else dependencies_in(row)

    def alias(self, key: JobKey) -> JobKey | None:
        """The job whose result a job adopted."""
        row = self.rows.get(key)
        return None if row is None else alias_in(row)

    def sharing(self) -> Iterator[tuple[JobKey, Sequence[str] | None]]:
        """The jobs that share folders, with these; None where only their orders say.

        These are asked too where the last of several shares none: an earlier one may have.
        """
        for key, row in self.rows.items():
            folders = shared_in(row) if isinstance(row, bytes) else None
            if folders is None or folders:
                yield key, folders
            elif not tried_once(row):
                yield key, None

    def aliases(self) -> Iterator[tuple[JobKey, JobKey]]:
        """Every job that adopted a result, with the job that it is of."""
        for key, row in self.rows.items():
            if isinstance(row, JobRecord) and row.alias is not None:
                yield key, row.alias


def records(jobs: Mapping[JobKey, JobRecord]) -> Records:
    """The same, as `Records`."""
    return jobs if isinstance(jobs, Records) else Records(jobs)
