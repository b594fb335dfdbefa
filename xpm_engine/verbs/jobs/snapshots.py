"""All jobs and the runs in whose light they are seen, at one moment: what columns are made from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from xpm_engine.workspace.index import JobRow, PackedReferences
from xpm_engine.workspace.index.packing import PACKED_STATES
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.states import JobState

STATES = tuple(JobState)
"""The states by their codes."""

_OF_PACKED = tuple(map(STATES.index, PACKED_STATES))
_CODES = {state: code for code, state in enumerate(STATES)}
_NONE = _CODES[JobState.NOT_SUBMITTED]


Sizes: TypeAlias = dict[JobKey, tuple[bytes, int | None]]
"""Of jobs that have ended: what is known of them, and bytes on the disk at that time."""


@dataclass(frozen=True, eq=False)
class SeenRun:
    """A run, as its jobs are seen in it."""

    experiment: str
    run: str
    latest: bool
    user: str
    lines: PackedReferences
    codes: bytes
    """The states of its jobs, as places in `STATES`."""
    waits: Mapping[JobKey, Wait]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What columns are made from; nothing in it changes."""

    workspace: WorkspacePaths
    keys: Sequence[JobKey]
    rows: Mapping[JobKey, JobRow]
    runs: Sequence[SeenRun]
    """Those whose word on a job counts more come later."""
    now: float
    trashed: Collection[JobKey] = ()
    """The jobs that lie in the trash."""
    sizes: Sizes = field(default_factory=dict[JobKey, tuple[bytes, int | None]])
    """Sizes that were measured before; those that are measured now are put there."""


def codes_of(rows: Iterable[JobRow | None]) -> bytearray:
    """The codes of the states that these rows tell; None for no folder."""
    return bytearray(
        [
            _OF_PACKED[row[0]]
            if isinstance(row, bytes)
            else (_NONE if row is None else _CODES[row.state])
            for row in rows
        ]
    )
