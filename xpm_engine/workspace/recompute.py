"""What it takes to compute jobs again, by the times that they took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xpm_engine.workspace.index import seconds_of, state_of
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


class Costs:
    """What jobs of a survey take to compute again; each is looked at once, however often asked."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._seconds: dict[JobKey, float | None] = {}
        """What each takes by itself; None where nobody knows."""
        self._above: dict[JobKey, frozenset[JobKey]] = {}
        """What is missing above each, of those of which something is."""

    def of(self, keys: Iterable[JobKey]) -> Cost:
        """What it takes to get the results of `keys` back, with what is missing upstream.

        Each job counts once. One that has no result has nothing to lose; of one that can't be read
        nobody knows.
        """
        known, above = self._seconds, self._above
        seconds, unknown = 0.0, 0
        missing: set[JobKey] = set()
        for key in frozenset(keys):
            if key not in known:
                self._look_at(key)
            own = known[key]
            if own is None:
                unknown += 1
            else:
                seconds += own
            if key in above:
                missing |= above[key]
        return Cost(seconds, unknown + len(missing))

    def _look_at(self, key: JobKey) -> None:
        if not self._has_result(key):
            # Who can't be asked may have a result.
            self._seconds[key] = None if self._state(key) is JobState.UNREADABLE else 0.0
            return
        # An adopted result costs nothing by itself: it is that of another job.
        adopted = self._survey.jobs.alias(key) is not None
        self._seconds[key] = 0.0 if adopted else seconds_of(self._survey.jobs.rows[key])
        missing = self._missing(key)
        if missing:
            self._above[key] = missing

    def _missing(self, key: JobKey) -> frozenset[JobKey]:
        """What has no result above a job, and would have to run first."""
        wanted = list(self._survey.dependencies(key))
        found: set[JobKey] = set()
        while wanted:
            key = wanted.pop()
            if key not in found and not self._has_result(key):
                found.add(key)
                wanted.extend(self._survey.dependencies(key))
        return frozenset(each for each in found if self._survey.jobs.alias(each) is None)

    def _has_result(self, key: JobKey) -> bool:
        return self._state(key) is JobState.DONE

    def _state(self, key: JobKey) -> JobState | None:
        row = self._survey.jobs.rows.get(key)
        return None if row is None else state_of(row)


def cost_again(survey: Survey, keys: Iterable[JobKey]) -> Cost:
    """As `Costs.of`, for once."""
    return Costs(survey).of(keys)
