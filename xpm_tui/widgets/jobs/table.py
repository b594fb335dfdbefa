"""The table of jobs: only what tells them apart, and above it what is the same for all."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_tui import clock
from xpm_tui.screens.columns import ColumnsScreen, Offer
from xpm_tui.store import Job, JobList
from xpm_tui.store.rows import FEW
from xpm_tui.widgets.jobs.columns import (
    NO_CHOICE,
    Choice,
    lay_out,
    looked_at,
    possible_columns,
    seconds_of,
)
from xpm_tui.widgets.table.column_fit import fit, measure
from xpm_tui.widgets.table.keys import KeyTable
from xpm_tui.widgets.table.model import Column
from xpm_tui.widgets.words import Words

MOVING = ("progress", "note")
"""The columns that tell how far a job is, or how long it will take."""

HURRY = 70.0
"""Seconds that a job has run below which its seconds are told."""


class JobTable(Vertical):
    """Jobs, a row each; `table` holds the cursor, `Table.Opened` and `Table.MarksWanted` leave it.

    What is shown is narrowed by `narrow_to` to those of one cause; the filter narrows the store.
    """

    app: App[Any]
    DEFAULT_CSS = "JobTable { height: 1fr; } JobTable Words { padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self.same = Words(classes="same")
        self.table: KeyTable[Job] = KeyTable(_key)
        self.table.nothing = "no job"
        self.table.trouble = in_trouble
        self.table.hurries = _counts_seconds
        self.choice: Choice = NO_CHOICE
        """The columns that the user chose, and chose to hide."""
        self._columns_for: Sequence[Hashable] = ()
        self._columns_have: tuple[bool, bool] | None = None
        self._columns: tuple[Column[Job], ...] = ()
        self._jobs: Sequence[Job] = ()

    def compose(self) -> ComposeResult:
        yield self.same
        yield self.table

    def show(self, jobs: Sequence[Job]) -> None:
        """Show these jobs; the columns are chosen anew when others came or what they have did."""
        seen = looked_at(jobs)
        keys = jobs.keys if isinstance(jobs, JobList) else list(map(_key, jobs))
        has = (
            any(job.record.progress is not None for job in seen),
            any(job.record.metrics for job in seen),
        )
        same = has == self._columns_have and _same_members(keys, self._columns_for)
        self._jobs = jobs
        self._columns_for, self._columns_have = keys, has
        if not same:
            self._lay_out()
        else:
            measured = measure(self._columns, jobs, self._columns)
            if _widths(measured) == _widths(self._columns):
                self.table.show(jobs)
            else:
                self._columns = measured
                self._fit()

    def show_moved(self, keys: frozenset[JobKey]) -> bool:
        """These jobs only told how far they are now; False if rows may come, go or move by it."""
        table = self.table
        column = table.model.column
        if table.model.narrowed or (column is not None and column.by in MOVING):
            return False
        seen = [row for row in table.seen if row.key in keys]
        if seen:
            # No column becomes narrower, so that the other rows need not be measured.
            measured = measure(self._columns, seen, self._columns)
            if _widths(measured) == _widths(self._columns):
                table.show_again(keys)
            else:
                self._columns = measured
                self._fit()
        return True

    def choose(self, choice: Choice) -> None:
        """Show these columns, and hide those."""
        self.choice = choice
        self._lay_out()

    def narrow_to(self, keys: frozenset[JobKey] | None) -> None:
        """Show only these jobs; None shows all."""
        self.table.narrow_to(keys)

    @property
    def many(self) -> bool:
        """Whether there are so many jobs that they are sorted by columns of all jobs."""
        return len(self._jobs) > FEW

    @property
    def job(self) -> Job | None:
        """The job under the cursor."""
        return self.table.row

    def do_columns(self) -> None:
        """Let the user choose the columns."""
        columns, usual = possible_columns(self._jobs)
        offers = [
            Offer(column.title, self.choice.get(column.title, column.title in usual))
            for column in columns
        ]

        def take(shown: frozenset[str] | None) -> None:
            if shown is not None:
                changed = {offer.title: offer.title in shown for offer in offers}
                kept = {title: on for title, on in self.choice.items() if title not in changed}
                chosen = {title: on for title, on in changed.items() if on != (title in usual)}
                self.choose({**kept, **chosen})

        self.app.push_screen(ColumnsScreen(offers), take)

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size.width)

    def _lay_out(self) -> None:
        layout = lay_out(self._jobs, self.choice)
        self.same.show(*([Text(layout.same, "xpm.faint")] if layout.same else []))
        self._columns = measure(layout.columns, self._jobs)
        self._fit()

    def _fit(self, width: int = 0) -> None:
        if self._columns:
            self.table.show(self._jobs, columns=fit(self._columns, width or self.size.width or 80))


def _counts_seconds(job: Job) -> bool:
    """Whether what is said of a job is another thing a second later."""
    if not job.state.live:
        return False
    seconds = seconds_of(job, clock.now())
    return seconds is not None and seconds < HURRY


def in_trouble(job: Job) -> bool:
    """Whether `e` stops at this job."""
    return job.state.ended_badly or job.state is JobState.UNREADABLE or bool(job.drift)


def _same_members(these: Sequence[Hashable], those: Sequence[Hashable]) -> bool:
    """Whether both hold the same, in any order; sets of very many are made only where they must."""
    return len(these) == len(those) and (these == those or frozenset(these) == frozenset(those))


def _widths(columns: Sequence[Column[Job]]) -> list[tuple[int, int]]:
    return [(column.width, column.wish) for column in columns]


def _key(job: Job) -> JobKey:
    return job.key
