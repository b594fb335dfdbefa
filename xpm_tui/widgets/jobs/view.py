"""The right side of a set of jobs: an experiment, a run, a group, all, or what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.message import Message
from textual.widget import Widget

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.scan import RunView
from xpm_tui import clock
from xpm_tui.facts.causes import as_cause, causes_of
from xpm_tui.store import (
    AllJobsSubject,
    Changed,
    ExperimentSubject,
    FailedSubject,
    GroupSubject,
    Job,
    RunKey,
    RunSubject,
    Store,
    Subject,
)
from xpm_tui.store.subjects import same_but_for_run
from xpm_tui.widgets.damage import damage_line
from xpm_tui.widgets.jobs import strip
from xpm_tui.widgets.jobs.causes import CausePane
from xpm_tui.widgets.jobs.table import JobTable
from xpm_tui.widgets.jobs.waiting import WaitingTable
from xpm_tui.widgets.runs.lines import against_latest, error_line, later_line, left_line
from xpm_tui.widgets.runs.table import RunTable
from xpm_tui.widgets.subject_view import SubjectView
from xpm_tui.widgets.table.table import Table

JOBS, CAUSES, WAITING, RUNS = range(4)
MOST_BAR = 40
"""Cells of the bar where there is room."""


@dataclass(frozen=True)
class Picked:
    """Jobs that the table is narrowed to, by their cause."""

    words: str
    keys: frozenset[JobKey]


class SetView(SubjectView):
    """Jobs, their causes of failure, what they wait for, and the runs that they belong to."""

    TITLES: ClassVar[tuple[str, ...]] = ("Jobs", "Causes", "Waiting", "Runs")

    class JobOpened(Message):
        """A job is to be shown."""

        def __init__(self, job: Job) -> None:
            super().__init__()
            self.job = job

    class RunOpened(Message):
        """A run is to be shown."""

        def __init__(self, view: RunView) -> None:
            super().__init__()
            self.view = view

    def make_panes(self) -> Sequence[Widget]:
        self.jobs = JobTable()
        self.causes = CausePane()
        self.waiting = WaitingTable()
        self.runs = RunTable()
        self.picked: Picked | None = None
        return (self.jobs, self.causes, self.waiting, self.runs)

    def show(self, subject: Subject, store: Store) -> None:
        if not same_but_for_run(self.subject, subject):
            self.pick(None)
            first = CAUSES if isinstance(subject, FailedSubject) else JOBS
            if self.open_pane != first:
                self.subject = None
                self.choose(first)
        super().show(subject, store)

    def touched(self, changed: Changed) -> bool:
        run = (
            None
            if self.store is None or self.subject is None
            else (self.store.run_of(self.subject))
        )
        return changed.experiments or changed.filter or run is None or run in changed.runs

    def feed(self, pane: int) -> None:
        store, subject = self.store, self.subject
        if store is None or subject is None:
            return
        jobs = store.jobs(subject)
        width = max(10, min(MOST_BAR, self.room.width // 2 - 8))
        self.strip.show(*set_lines(store, subject, width=width, picked=self.picked))
        if pane == JOBS:
            self.jobs.show(jobs)
        elif pane == CAUSES:
            self.causes.show(causes_of(store, subject), jobs, store)
        elif pane == WAITING:
            self.waiting.show_waiting(jobs, store)
        else:
            self.runs.show_runs(runs_of(store, subject))

    def show_moved(self, keys: frozenset[JobKey]) -> None:
        if self.open_pane == JOBS and not self.jobs.show_moved(keys):
            self.feed(JOBS)

    def pick(self, picked: Picked | None) -> None:
        """Show only these jobs; None shows all."""
        self.picked = picked
        self.jobs.narrow_to(None if picked is None else picked.keys)

    def do_back(self) -> bool:
        """Give up what the jobs were narrowed to; False if they were not."""
        if self.picked is None:
            return False
        self.pick(None)
        self.choose(CAUSES)
        return True

    def on_table_opened(self, message: Table.Opened) -> None:
        message.stop()
        row = message.row
        cause = as_cause(row)
        if cause is not None:
            self.pick(Picked(cause.text, frozenset(cause.keys)))
            self.choose(JOBS)
        elif isinstance(row, Job):
            self.post_message(self.JobOpened(row))
        elif isinstance(row, RunView):
            self.post_message(self.RunOpened(row))


def set_lines(
    store: Store, subject: Subject, *, width: int, picked: Picked | None = None
) -> list[Text]:
    """The strip of a set of jobs; `width` is that of the bar."""
    jobs = store.jobs(subject)
    run = store.run_of(subject)
    view = None if run is None else store.run(run)
    title = subject_title(store, subject)
    if picked is not None:
        title += f" › {picked.words}"
    elif isinstance(subject, FailedSubject):
        blocked = store.totals().blocked if store.wanted is None else 0
        return [strip.failed_title(len(jobs), causes_of(store, subject), blocked)]
    counts = store.counts(subject)
    lines = [
        strip.title_line(title, view, now=clock.now()),
        damage_line(view),
        error_line(view),
        *_around_lines(store, run),
        *(against_latest(store, subject.run) if isinstance(subject, RunSubject) else ()),
        strip.bar_line(counts, width=width),
        strip.waiting_line(jobs) if counts.waiting else None,
        strip.failed_line(causes_of(store, subject)),
    ]
    return [line for line in lines if line is not None]


def _around_lines(store: Store, run: RunKey | None) -> list[Text | None]:
    """What came after the run that stands for an experiment, and what it does not replace."""
    if run is None or not store.is_latest(run):
        return []
    later = store.later_runs(run.experiment)
    left = store.left_behind(run.experiment)
    return [
        later_line(later[0], store.run(run), now=clock.now()) if later else None,
        left_line(len(left)) if left else None,
    ]


def subject_title(store: Store, subject: Subject) -> str:
    """``learn in drmm``: what a set of jobs is called."""
    match subject:
        case ExperimentSubject(name):
            return name
        case RunSubject(run):
            return f"{run.experiment} › {run.run}"
        case GroupSubject(run, group):
            parts = list(group.path)
            if parts and parts[0] == group.path[0] and group.by.value == "task":
                parts[0] = store.task_name(parts[0], run)
            return f"{' › '.join(parts)} in {run.experiment}"
        case AllJobsSubject():
            return "All jobs"
        case FailedSubject():
            return "Failed in the latest runs"
        case _:
            return ""


def runs_of(store: Store, subject: Subject) -> tuple[RunView, ...]:
    """The runs that a subject's jobs can belong to, newest first."""
    run = store.run_of(subject)
    names = (
        [experiment.name for experiment in store.experiments()] if run is None else [run.experiment]
    )
    found: list[RunView] = []
    for name in names:
        experiment = store.experiment(name)
        if experiment is not None:
            views = map(store.run, experiment.runs)
            found.extend(view for view in views if view is not None)
    return tuple(sorted(found, key=lambda view: view.run, reverse=True))
