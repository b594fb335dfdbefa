"""What waits for what, in which place of the queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rich.text import Text

from xpm_engine.workspace.records.states import JobState
from xpm_tui import look
from xpm_tui.store import WAITS, Job
from xpm_tui.widgets.table_keys import KeyTable
from xpm_tui.widgets.table_model import Column

SHOWN = (*WAITS, JobState.BLOCKED, JobState.QUEUED)
"""The states that are no one's fault and no one's work yet."""


class WaitingTable(KeyTable[Job]):
    """A job a row, those first that come next; opening one asks for the job."""

    markable = False

    def __init__(self, title: Callable[[Job], str]) -> None:
        columns: tuple[Column[Job], ...] = (
            Column("state", lambda job: look.state_text(job.state), width=11),
            Column("job", lambda job: Text(look.plain(title(job))), title, width=32),
            Column("place", _place_cell, place, width=6, right=True),
            Column("waits for", lambda job: Text(wait_words(job)), wait_words, width=48),
        )
        super().__init__(lambda job: job.key, columns=columns)


def waiting_jobs(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Those that wait, are blocked or were told to a launcher, in the order of the queue."""
    found = [job for job in jobs if job.state in SHOWN]
    return tuple(sorted(found, key=lambda job: (SHOWN.index(job.state), place(job) or 1 << 30)))


def place(job: Job) -> int | None:
    """Its place in the queue, from 1; None where it has none."""
    return job.wait.place if job.wait is not None and job.wait.place else None


def wait_words(job: Job) -> str:
    """What it waits for, with the whole chain of jobs."""
    if job.wait is None:
        return "its launcher" if job.state is JobState.QUEUED else "its turn"
    chain = " ← ".join(f"{key.task.rpartition('.')[2]} {key.short}" for key in job.wait.on[1:])
    return look.plain(look.wait_text(replace(job.wait, place=0)) + (f" ← {chain}" if chain else ""))


def _place_cell(job: Job) -> Text:
    found = place(job)
    return Text("" if found is None else look.ordinal(found))
