"""How many causes there are of what failed: kept while jobs come and go."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import cast

from xpm_engine.verbs.causes import Cause, signature
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.scan import JobRecord
from xpm_tui.store.model import Job


def as_cause(row: object) -> Cause[Job] | None:
    """A row of a table of causes; None for a row of any other."""
    return cast("Cause[Job]", row) if isinstance(row, Cause) else None


class CauseCount:
    """Works out a job's cause once for every time that its folder was read."""

    def __init__(self) -> None:
        self._known: dict[JobKey, tuple[JobRecord, Hashable]] = {}

    def count(self, failed: Iterable[Job]) -> int:
        """How many causes these jobs have, all of which failed or died."""
        before, self._known = self._known, {}
        for job in failed:
            known = before.get(job.key)
            if known is None or known[0] is not job.record:
                known = (job.record, signature(job.state, job.record))
            self._known[job.key] = known
        return len({cause for _, cause in self._known.values()})
