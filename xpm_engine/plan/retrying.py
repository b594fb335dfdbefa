"""Whether a job that ended badly is tried again by its plan, for which reasons, and how soon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.errors import UsageError
from xpm_engine.workspace.records.reasons import Reason, ReasonKind

WORTH = frozenset(
    (
        ReasonKind.HOST_GONE,
        ReasonKind.NO_EXIT_RECORD,
        ReasonKind.DISK_FULL,
        ReasonKind.LAUNCHER,
    )
)
"""What was no fault of the task, and may be over by the next attempt."""

NEVER = frozenset((ReasonKind.CANCELLED, ReasonKind.CLEANED))
"""What a person wanted."""

FIRST_PAUSE = 5.0
"""Seconds before the second attempt."""

FACTOR = 3.0
"""How much longer each further pause is."""

MAX_PAUSE = 900.0


@dataclass(frozen=True)
class Retries:
    """How often a job is tried again, and after what."""

    most: int
    kinds: frozenset[ReasonKind]

    def pause(self, reason: Reason | None, used: int) -> float | None:
        """Seconds before the next attempt after `used` retries; None if there is to be none.

        A resumable task whose time was over goes on at once: there is nothing to wait for.
        """
        if reason is None or reason.kind not in self.kinds or used >= self.most:
            return None
        if reason.kind is ReasonKind.TIME_LIMIT:
            return 0.0
        return min(MAX_PAUSE, FIRST_PAUSE * FACTOR**used)


def retries_of(options: SubmitOptions, *, resumable: bool) -> Retries:
    """What `submit` was told about retries.

    Without a choice of reasons these are `WORTH`, and, for a resumable task, the end of its time.
    Raises UsageError.
    """
    most = options.retries
    if not _is_count(most):
        raise UsageError(
            f"retries={most!r} is no number of attempts", hint="give 0, 1, 2, … to submit(retries=)"
        )
    if options.retry_on is None:
        return Retries(most, WORTH | {ReasonKind.TIME_LIMIT} if resumable else WORTH)
    return Retries(most, _kinds(options.retry_on))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _each(chosen: object) -> Iterable[object]:
    if isinstance(chosen, Iterable) and not isinstance(chosen, str):
        return cast("Iterable[object]", chosen)
    return (chosen,)


def _kinds(chosen: object) -> frozenset[ReasonKind]:
    possible = {kind.value: kind for kind in ReasonKind if kind not in NEVER}
    found: set[ReasonKind] = set()
    for name in _each(chosen):
        kind = possible.get(name) if isinstance(name, str) else None
        if kind is None:
            raise UsageError(
                f"retry_on: a job can't be tried again for {str(name)!r}",
                hint="choose from: " + ", ".join(possible),
            )
        found.add(kind)
    return frozenset(found)
