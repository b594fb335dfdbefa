"""What it takes to compute jobs again, by the times that they took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xpm_engine.workspace.index import state_of
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.obsolete import Survey
from xpm_engine.workspace.records.states import JobState


@dataclass(frozen=True)
class Cost:
    """Compute time, as if one job ran after the other."""

    seconds: float = 0.0
    unknown: int = 0
    """Jobs that would have to run too, of which nobody knows how long."""

    @property
    def nothing(self) -> bool:
        """Whether nothing would be lost."""
        return not self.seconds and not self.unknown


def cost_again(survey: Survey, keys: Iterable[JobKey]) -> Cost:
    """What it takes to get the results of `keys` back: themselves, and what is missing upstream.

    Each job counts once. One that has no result has nothing to lose.
    """
    wanted = [key for key in keys if _has_result(survey, key)]
    leaving = set(wanted)
    seen: set[JobKey] = set()
    seconds, unknown = 0.0, 0
    while wanted:
        key = wanted.pop()
        if key in seen or (key not in leaving and _has_result(survey, key)):
            continue
        seen.add(key)
        record = survey.jobs.get(key)
        if record is None or record.alias is None:
            usage = record.usage if record is not None and _has_result(survey, key) else None
            seconds += 0.0 if usage is None else usage.seconds
            unknown += usage is None
        wanted.extend(survey.dependencies(key))
    return Cost(seconds, unknown)


def _has_result(survey: Survey, key: JobKey) -> bool:
    row = survey.jobs.rows.get(key)
    return row is not None and state_of(row) is JobState.DONE
