"""What is shown of a retry before it is started; as JSON too, in parts short enough to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from xpm_engine.errors import UnreadableError
from xpm_engine.verbs.cleaning.clean_json import parts_of
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.reasons import member, read_key, read_keys, read_optional_key
from xpm_engine.workspace.records.states import JobState


class Role(Enum):
    """What a job is in a retry."""

    AGAIN = "again"
    """It was asked for."""
    UPSTREAM = "needed"
    """What was asked for needs it, and it has no result."""
    DEPENDANT = "dependant"
    """It was blocked, or never started, behind one of the others."""
    FOLLOWED = "followed"
    """It runs already: the others wait for it."""


class RefusalKind(Enum):
    """Why a job is not run again."""

    RUNNING = "running"
    DONE = "done"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    CLEANING = "being cleaned"
    CODE_GONE = "code gone"
    NO_ORDER = "not stored"
    """What it takes to run it is not on the disk: only its plan knows."""
    UPSTREAM = "upstream"
    """What it is made from has no result, and can't be run again either."""
    STILL_BLOCKED = "still blocked"
    """Something else that it is made from failed, and is not run again."""


@dataclass(frozen=True)
class Refusal:
    """A job that stays as it is, and why."""

    key: JobKey
    kind: RefusalKind
    text: str


@dataclass(frozen=True)
class RetryRow:
    """What is shown of a job of a retry."""

    key: JobKey
    role: Role
    state: JobState
    why: str
    """Why it ended badly, in a line; empty for one that never ran."""


@dataclass(frozen=True)
class RetryOutline:
    """What is shown of a retry before it is started."""

    jobs: tuple[RetryRow, ...]
    """Upstream jobs first."""
    refused: tuple[Refusal, ...]
    presumed_dead: tuple[JobKey, ...]
    """Those of the jobs that can't be asked from here, and are dead because a person says so."""

    def of(self, *roles: Role) -> tuple[RetryRow, ...]:
        """The jobs that have one of these roles."""
        return tuple(job for job in self.jobs if job.role in roles)

    @property
    def again(self) -> tuple[RetryRow, ...]:
        """The jobs that run again: those asked for, and what they need."""
        return self.of(Role.AGAIN, Role.UPSTREAM)

    @property
    def dependants(self) -> tuple[RetryRow, ...]:
        """The jobs that come along."""
        return self.of(Role.DEPENDANT)


def row_to_json(row: RetryRow) -> dict[str, Any]:
    """One job."""
    return {
        "task": row.key.task,
        "id": row.key.identifier,
        "role": row.role.value,
        "state": row.state.value,
        "why": row.why or None,
    }


def refusal_to_json(refusal: Refusal) -> dict[str, Any]:
    """One job that stays as it is."""
    return {"job": str(refusal.key), "kind": refusal.kind.value, "why": refusal.text}


def outline_to_json(outline: RetryOutline) -> Iterator[dict[str, Any]]:
    """All of it, a part at a time."""
    for rows in parts_of(outline.jobs):
        yield {"jobs": list(map(row_to_json, rows))}
    for refused in parts_of(outline.refused):
        yield {"refused": list(map(refusal_to_json, refused))}
    for keys in parts_of(outline.presumed_dead):
        yield {"dead": list(map(str, keys))}


def outline_from_json(parts: Iterable[Fields]) -> RetryOutline:
    """What these parts tell; raises UnreadableError."""
    jobs: list[RetryRow] = []
    refused: list[Refusal] = []
    dead: list[JobKey] = []
    for part in parts:
        jobs += map(_row, part.parts("jobs"))
        refused += map(_refusal, part.parts("refused"))
        dead += read_keys(part, "dead")
    return RetryOutline(tuple(jobs), tuple(refused), tuple(dead))


def _row(fields: Fields) -> RetryRow:
    return RetryRow(
        read_key(fields),
        member(Role, fields, "role"),
        member(JobState, fields, "state"),
        fields.optional_text("why") or "",
    )


def _refusal(fields: Fields) -> Refusal:
    key = read_optional_key(fields, "job")
    if key is None:
        raise UnreadableError("a refusal that names no job", where=fields.where)
    return Refusal(key, member(RefusalKind, fields, "kind"), fields.text("why"))
