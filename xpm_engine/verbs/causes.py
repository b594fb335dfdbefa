"""What went wrong, said once for all jobs that it happened to."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from xpm_engine.workspace.records.reasons import Reason, ReasonKind
from xpm_engine.workspace.records.states import JobState

if TYPE_CHECKING:
    from xpm_engine.verbs.jobs.facts import SeenJob
    from xpm_engine.workspace.layout import JobKey
    from xpm_engine.workspace.scan import JobRecord

Job = TypeVar("Job", bound="SeenJob")

_FAILURES = (JobState.FAILED, JobState.DIED)

_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?")
"""Addresses and numbers: they differ where the cause is the same."""

_MEMORY = re.compile(r"(?i)out.?of.?memory|MemoryError")

_ADVICE = {
    ReasonKind.OUT_OF_MEMORY: "with more memory",
    ReasonKind.TIME_LIMIT: "with more time",
    ReasonKind.EXCEPTION: "after mending it",
    ReasonKind.EXIT: "after reading its log",
    ReasonKind.SIGNAL: "after reading its log",
    ReasonKind.DISK_FULL: "after making room",
    ReasonKind.CANNOT_LOAD: "after mending the import",
    ReasonKind.UPSTREAM_GONE: "with what it needs",
}


@dataclass(frozen=True)
class Cause(Generic[Job]):
    """Jobs that ended badly in the same way."""

    key: Hashable
    text: str
    """What the first of them says, in one line."""
    where: str
    """``train.py:88 step``: the last line of the user's code; else the host, if all had one."""
    source: str
    """That line's text when it happened; empty if there is none."""
    advice: str
    """What to try: the words after ``retry``; empty for nothing but that."""
    jobs: tuple[Job, ...]

    @property
    def keys(self) -> tuple[JobKey, ...]:
        return tuple(job.key for job in self.jobs)

    @property
    def reason(self) -> Reason | None:
        """That of the first of them."""
        return self.jobs[0].record.reason


def group_causes(jobs: Iterable[Job]) -> tuple[Cause[Job], ...]:
    """The causes of those jobs that failed or died, the one with most jobs first.

    Two jobs have the same cause if the same kind of thing happened: an exception of the same type
    from the same line of the user's code, in words that differ in numbers and addresses only; the
    same signal, exit code or limit.
    """
    found: dict[Hashable, list[Job]] = {}
    for job in jobs:
        if job.state in _FAILURES:
            found.setdefault(signature(job.state, job.record), []).append(job)
    return _sorted(_cause(key, members) for key, members in found.items())


def causes_among(causes: Sequence[Cause[Job]], kept: Sequence[bytes]) -> tuple[Cause[Job], ...]:
    """The causes of some of their jobs; `kept` has for each cause a byte a job, 0 for left out."""
    found = (
        (cause.key, tuple(compress(cause.jobs, mask)))
        for cause, mask in zip(causes, kept, strict=True)
    )
    return _sorted(_cause(key, jobs) for key, jobs in found if jobs)


def _sorted(causes: Iterable[Cause[Job]]) -> tuple[Cause[Job], ...]:
    return tuple(sorted(causes, key=lambda cause: -len(cause.jobs)))


def signature(state: JobState, record: JobRecord) -> Hashable:
    """The same for two jobs if their cause is the same."""
    reason = record.reason
    if reason is None:
        return state
    place = None if reason.frame is None else (reason.frame.file, reason.frame.line)
    code = record.exit_code if reason.kind is ReasonKind.EXIT else None
    words = _VARYING.sub("#", reason.text)
    return reason.kind, reason.exception, place, code, record.signal, words


def reason_text(state: JobState, reason: Reason | None) -> str:
    """Why a job ended badly, in one line."""
    if reason is None:
        return "no exit record" if state is JobState.DIED else "no reason recorded"
    return reason.text.split("\n", 1)[0]


def reason_place(reason: Reason | None) -> str:
    """The last line of the user's code, as people write it: file, line, function."""
    if reason is None or reason.frame is None:
        return ""
    frame = reason.frame
    return f"{frame.file.rpartition('/')[2]}:{frame.line} {frame.function}"


def same_in_all(jobs: Sequence[SeenJob], *, among: Sequence[SeenJob] = ()) -> dict[str, Any]:
    """The tags, the parameters and the host that are the same in all of these jobs.

    What is the same in `among`, too, tells least and comes last.
    """
    same = _shared([_values(job) for job in jobs])
    everywhere = _shared([_values(job) for job in among]) if among else {}
    return dict(sorted(same.items(), key=lambda item: item[0] in everywhere))


def _values(job: SeenJob) -> dict[str, Any]:
    """Tags, then the parameters that no tag of the same name tells, then the host."""
    values = dict(job.tags)
    for name, value in job.params.items():
        values.setdefault(name.rpartition(".")[2], value)
    supervisor = job.record.supervisor
    if supervisor is not None and supervisor.host:
        values.setdefault("host", supervisor.host)
    return values


def _shared(all_values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not all_values:
        return {}
    same = dict(all_values[0])
    for values in all_values[1:]:
        for name in [name for name in same if not _alike(same[name], values, name)]:
            del same[name]
    return same


def _alike(value: Any, values: Mapping[str, Any], name: str) -> bool:
    if name not in values:
        return False
    other = values[name]
    return value == other and isinstance(value, bool) is isinstance(other, bool)


def _cause(key: Hashable, jobs: Sequence[Job]) -> Cause[Job]:
    reason = jobs[0].record.reason
    frame = None if reason is None else reason.frame
    return Cause(
        key=key,
        text=reason_text(jobs[0].state, reason),
        where=reason_place(reason) or _hosts(jobs),
        source="" if frame is None else frame.source.strip(),
        advice=_advice(reason),
        jobs=tuple(jobs),
    )


def _hosts(jobs: Sequence[SeenJob]) -> str:
    hosts = {job.record.supervisor.host for job in jobs if job.record.supervisor is not None} - {""}
    if len(hosts) == 1:
        return f"on {hosts.pop()}"
    return f"on {len(hosts)} hosts" if hosts else ""


def _advice(reason: Reason | None) -> str:
    if reason is None:
        return ""
    if _MEMORY.search(f"{reason.exception or ''} {reason.text}"):
        return _ADVICE[ReasonKind.OUT_OF_MEMORY]
    return _ADVICE.get(reason.kind, "")
