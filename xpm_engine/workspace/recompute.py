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


@dataclass(frozen=True)
class _Own:
    """What one job takes: its own time, None if that is unknown, and what is missing upstream."""

    seconds: float | None
    missing: frozenset[JobKey] = frozenset()


_NOTHING = _Own(0.0)
_UNREADABLE = _Own(None)
"""Who can't be asked may have a result."""


class Costs:
    """What jobs of a survey take to compute again; each is looked at once, however often asked."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._own: dict[JobKey, _Own] = {}

    def of(self, keys: Iterable[JobKey]) -> Cost:
        """What it takes to get the results of `keys` back, with what is missing upstream.

        Each job counts once. One that has no result has nothing to lose; of one that can't be read
        nobody knows.
        """
        known = self._own
        seconds, unknown = 0.0, 0
        missing: set[JobKey] = set()
        for key in frozenset(keys):
            own = known.get(key) or self._look_at(key)
            if own.seconds is None:
                unknown += 1
            else:
                seconds += own.seconds
            if own.missing:
                missing |= own.missing
        return Cost(seconds, unknown + len(missing))

    def _look_at(self, key: JobKey) -> _Own:
        if self._has_result(key):
            own = self._made(key)
        else:
            own = _UNREADABLE if self._state(key) is JobState.UNREADABLE else _NOTHING
        self._own[key] = own
        return own

    def _made(self, key: JobKey) -> _Own:
        """Of a job that has a result."""
        row = self._survey.jobs.rows[key]
        # An adopted result costs nothing by itself: it is that of another job.
        adopted = self._survey.jobs.alias(key) is not None
        return _Own(0.0 if adopted else seconds_of(row), self._missing(key))

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
