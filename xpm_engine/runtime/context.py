"""Which job this process runs: set once in the task's process, absent everywhere else."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from xpm_engine.workspace.layout import JobPaths


@dataclass(frozen=True)
class JobContext:
    """The attempt that this process runs."""

    job: JobPaths
    attempt: int
    nonce: str
    deadline: float | None = None
    """When (time.monotonic, which all processes of a machine share) its time is over."""


_current: JobContext | None = None
_pid = 0


def current_job() -> JobContext | None:
    """The job of this process; None outside of one."""
    return _current


def enter_job(context: JobContext) -> None:
    """Say which job this process runs, from now on."""
    global _current, _pid  # noqa: PLW0603 (a process runs one job, once)
    _current = context
    _pid = os.getpid()


def is_jobs_own_process() -> bool:
    """Whether this is the process of the job, not one that its task has forked."""
    return _pid == os.getpid()


def remaining_time() -> float | None:
    """Seconds until this task is asked to stop because its time is over.

    At least 0; None where its time is not limited, and outside of a job. A task that has too
    little left for another step saves what it has and raises GracefulTimeout.
    """
    deadline = None if _current is None else _current.deadline
    return None if deadline is None else max(0.0, deadline - time.monotonic())
