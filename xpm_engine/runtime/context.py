"""Which job this process runs: set once in the task's process, absent everywhere else."""

from __future__ import annotations

from dataclasses import dataclass

from xpm_engine.workspace.layout import JobPaths


@dataclass(frozen=True)
class JobContext:
    """The attempt that this process runs."""

    job: JobPaths
    attempt: int
    nonce: str


_current: JobContext | None = None


def current_job() -> JobContext | None:
    """The job of this process; None outside of one."""
    return _current


def enter_job(context: JobContext) -> None:
    """Say which job this process runs, from now on."""
    global _current  # noqa: PLW0603 (a process runs one job, once)
    _current = context
