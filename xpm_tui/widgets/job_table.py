"""The table of jobs: only what tells them apart, and above it what is the same for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_tui.store import Job, JobList
from xpm_tui.widgets.job_columns import lay_out, looked_at
from xpm_tui.widgets.table_keys import KeyTable
from xpm_tui.widgets.words import Words

Wanted = Callable[[Job], bool]


class JobTable(Vertical):
    """Jobs, a row each; `table` holds the cursor, `Table.Opened` and `Table.MarksWanted` leave it.

    What is shown is narrowed by `narrow` to those of one cause; the filter has narrowed the store.
    """

    DEFAULT_CSS = "JobTable { height: 1fr; } JobTable Words { padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self.same = Words(classes="same")
        self.table: KeyTable[Job] = KeyTable(_key)
        self.table.trouble = in_trouble
        self._columns_for: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        yield self.same
        yield self.table

    def show(self, jobs: Sequence[Job]) -> None:
        """Show these jobs; the columns are chosen anew when others came or what they have did."""
        seen = looked_at(jobs)
        signature = (
            jobs.keys if isinstance(jobs, JobList) else tuple(map(_key, jobs)),
            any(job.record.progress is not None for job in seen),
            any(job.record.metrics for job in seen),
        )
        if signature != self._columns_for:
            self._columns_for = signature
            layout = lay_out(jobs)
            self.same.show(*([Text(layout.same, "xpm.faint")] if layout.same else []))
            self.table.show(jobs, columns=layout.columns)
        else:
            self.table.show(jobs)

    def narrow(self, wanted: Wanted | None) -> None:
        """Show only the jobs that are wanted; None shows all."""
        self.table.narrow(wanted)

    @property
    def job(self) -> Job | None:
        """The job under the cursor."""
        return self.table.row


def in_trouble(job: Job) -> bool:
    """Whether `e` stops at this job."""
    return job.state.ended_badly or job.state is JobState.UNREADABLE or bool(job.drift)


def _key(job: Job) -> JobKey:
    return job.key
