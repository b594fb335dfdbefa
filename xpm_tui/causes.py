"""What went wrong, said once for all jobs that it happened to."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Reason
from xpm_engine.workspace.records.states import JobState
from xpm_tui.store.model import FAILURES, Job

_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?")
"""Addresses and numbers: they differ where the cause is the same."""


@dataclass(frozen=True)
class Cause:
    """Jobs that ended badly in the same way."""

    key: Hashable
    text: str
    """What the first of them says."""
    where: str
    """``train.py:88 step``: the last line of the user's code; empty if there is none."""
    source: str
    """That line's text when it happened."""
    jobs: tuple[Job, ...]

    @property
    def keys(self) -> tuple[JobKey, ...]:
        return tuple(job.key for job in self.jobs)


def group_causes(jobs: Iterable[Job]) -> tuple[Cause, ...]:
    """The causes of those jobs that failed or died, the one with most jobs first.

    Two jobs have the same cause if the same kind of thing happened, with an exception by the same
    type from the same line of the user's code, in words that differ in numbers and addresses only.
    """
    found: dict[Hashable, list[Job]] = {}
    for job in jobs:
        if job.state in FAILURES:
            found.setdefault(_signature(job), []).append(job)
    causes = [_cause(key, members) for key, members in found.items()]
    return tuple(sorted(causes, key=lambda cause: -len(cause.jobs)))


def reason_text(job: Job) -> str:
    """Why the job ended badly, in one line."""
    reason = job.record.reason
    if reason is None:
        return "no exit record" if job.state is JobState.DIED else "no reason recorded"
    return reason.text.split("\n", 1)[0]


def reason_place(reason: Reason | None) -> str:
    """The last line of the user's code, as people write it: file, line, function."""
    if reason is None or reason.frame is None:
        return ""
    frame = reason.frame
    return f"{frame.file.rpartition('/')[2]}:{frame.line} {frame.function}"


def _signature(job: Job) -> Hashable:
    reason = job.record.reason
    if reason is None:
        return job.state
    place = None if reason.frame is None else (reason.frame.file, reason.frame.line)
    return reason.kind, reason.exception, place, _VARYING.sub("#", reason.text)


def _cause(key: Hashable, jobs: list[Job]) -> Cause:
    reason = jobs[0].record.reason
    frame = None if reason is None else reason.frame
    return Cause(
        key=key,
        text=reason_text(jobs[0]),
        where=reason_place(reason),
        source="" if frame is None else frame.source.strip(),
        jobs=tuple(jobs),
    )
