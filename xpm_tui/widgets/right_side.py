"""The right side: what the tree's cursor stands on, and what was opened from there."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from xpm_engine.verbs.causes import Cause
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.scan import RunView
from xpm_tui.outside.programs import END, FileLine
from xpm_tui.store import (
    Changed,
    CleanedSubject,
    EarlierRunsSubject,
    Experiment,
    ExperimentSubject,
    Job,
    JobSubject,
    LogSubject,
    ObsoleteSubject,
    RunKey,
    RunSubject,
    Store,
    Subject,
    TrashSubject,
    WorkspaceSubject,
)
from xpm_tui.store.subjects import in_run, run_seen, same_but_for_run
from xpm_tui.widgets.cleaning.cleaned import CleanedView
from xpm_tui.widgets.cleaning.obsolete import ObsoleteView
from xpm_tui.widgets.cleaning.trash import TrashView
from xpm_tui.widgets.frame.find_line import FindLine
from xpm_tui.widgets.here import Here
from xpm_tui.widgets.job.view import LOG, JobView
from xpm_tui.widgets.jobs.table import JobTable
from xpm_tui.widgets.jobs.view import JOBS, RUNS, SetView
from xpm_tui.widgets.lines import Lines
from xpm_tui.widgets.log.pane import LogPane
from xpm_tui.widgets.peek import Peek
from xpm_tui.widgets.subject_view import SubjectView
from xpm_tui.widgets.table.table import Table
from xpm_tui.widgets.workspace_view import WorkspaceView

PEEK_BELOW = 11
"""Lines that a view needs below the tree; with less, a few words are said about what is under the
cursor, and `enter` gives the view the whole screen."""

LEAST = 5
"""Lines in which a view that has the screen, or its height, still shows something."""


class RightSide(Vertical):
    """Shows a subject; what is opened in it takes its place until one step back.

    The trail begins with what the tree's cursor stands on and ends with what is on the screen.
    """

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")

    class Shown(Message):
        """Something else is on the screen."""

        def __init__(self, subject: Subject) -> None:
            super().__init__()
            self.subject = subject

    class MarksWanted(Message):
        """The user wants these jobs to be the marked ones."""

        def __init__(self, marks: frozenset[JobKey]) -> None:
            super().__init__()
            self.marks = marks

    def __init__(self, *, since: str | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.trail: tuple[Subject, ...] = ()
        self.store: Store | None = None
        self._workspace_view = WorkspaceView(since=since)
        self._set_view = SetView()
        self._job_view = JobView()
        self._trash_view = TrashView()
        self._obsolete_view = ObsoleteView()
        self._cleaned_view = CleanedView()
        self._peek = Peek()
        self._alone = False
        self._since = self._workspace_view.since
        self._find = FindLine()

    def compose(self) -> ComposeResult:
        yield self._peek
        yield from self._views
        yield self._find

    def on_mount(self) -> None:
        self._show_view()
        self.set_interval(1.0, self._tick)

    def on_resize(self) -> None:
        if self._peek.display != self.peeking:
            self._show_end()

    def show(self, subject: Subject, store: Store) -> None:
        """Show what the tree's cursor stands on; what was opened before is left.

        Where it is the same in another run, because a plan was run again, all stays open.
        """
        self.store = store
        if self.trail[:1] == (subject,):
            return
        before, run = run_seen(self.trail[0]) if self.trail else None, run_seen(subject)
        opened: tuple[Subject, ...] = ()
        if self.trail and run is not None and same_but_for_run(self.trail[0], subject):
            opened = tuple(
                in_run(each, run) if run_seen(each) == before else each for each in self.trail[1:]
            )
        self.trail = (subject, *opened)
        self._show_end()

    def refresh_from(self, store: Store, changed: Changed) -> None:
        """Something was read again: draw what looks different."""
        self.store = store
        if self.peeking:
            self._feed_peek()
        elif self.trail:
            self.view.refresh_from(changed)

    def show_moved(self, store: Store, keys: frozenset[JobKey]) -> None:
        """These jobs only told how far they are now: draw what tells that."""
        self.store = store
        if not self.peeking:
            self.view.show_moved(keys)
        elif any(isinstance(top, JobSubject) and top.key in keys for top in self.trail[:1]):
            self._feed_peek()

    def show_marks(self, marks: frozenset[JobKey]) -> None:
        """Draw these jobs as marked."""
        self._set_view.jobs.table.show_marks(frozenset(marks))
        self._set_view.causes.show_marks(marks)

    def open(self, subject: Subject) -> None:
        """Show something that was opened here; one step back leaves it."""
        if self.store is not None:
            self.trail = (*self.trail, subject)
            self._show_end()
            self.view.focus_pane()

    @property
    def subject(self) -> Subject | None:
        """What is on the screen."""
        return self.trail[-1] if self.trail else None

    @property
    def job_table(self) -> JobTable:
        """The table of the jobs of a set."""
        return self._set_view.jobs

    @property
    def view(self) -> SubjectView:
        """The view that shows it."""
        match self.subject:
            case JobSubject() | LogSubject():
                return self._job_view
            case ObsoleteSubject():
                return self._obsolete_view
            case TrashSubject():
                return self._trash_view
            case CleanedSubject():
                return self._cleaned_view
            case WorkspaceSubject() | None:
                return self._workspace_view
            case _:
                return self._set_view

    @property
    def target(self) -> JobKey | None:
        """The job that is shown or under the cursor; of several the first."""
        return next(iter(self.under_cursor), None)

    @property
    def idle(self) -> frozenset[str]:
        """The actions that find nothing to do with what is under the cursor."""
        return frozenset() if self.under_cursor else frozenset(("log",))

    @property
    def under_cursor(self) -> Sequence[JobKey]:
        """The jobs that an action without marks acts on: those of the row, or the one shown."""
        store = self.store
        if store is None or self.subject is None:
            return ()
        if isinstance(self.subject, (JobSubject, LogSubject)):
            return (self.subject.key,)
        reader = self.view.reader()
        match reader.row if isinstance(reader, Table) else None:
            case Job(key=key):
                return (key,)
            case Cause(keys=keys):
                return keys
            case RunView(experiment=experiment, run=run):
                return store.keys(RunSubject(RunKey(experiment, run)))
            case Experiment(name=name):
                return store.keys(ExperimentSubject(name))
            case _:
                return ()

    @property
    def here(self) -> Here:
        """What is under its cursor; in a log the line."""
        subject: Subject = WorkspaceSubject() if self.subject is None else self.subject
        pane = self.view.panes[self.view.open_pane]
        if isinstance(pane, LogPane) and pane.view.streams:
            status, view = pane.view.status, pane.view
            at = FileLine(str(view.streams[status.current].path), status.line or END)
            return Here(subject, log=at, log_text=view.cursor_text)
        reader = self.view.reader()
        return Here(subject, reader.row if isinstance(reader, Table) else None)

    @property
    def run_row(self) -> RunView | None:
        """The run under the cursor, where runs are listed."""
        reader = self.view.reader()
        row = reader.row if isinstance(reader, Table) else None
        return row if isinstance(row, RunView) else None

    def focus_view(self) -> None:
        """Focus what is shown."""
        self.view.focus_pane()

    def do_tab(self, number: int) -> None:
        if not self.view.choose(number - 1):
            self.notify(f"there is no tab {number} here", markup=False, timeout=2)

    def do_back(self) -> bool:
        """One step back inside the right side; False if there is none left."""
        if self._find.text:
            self._find.clear()
            return True
        if self.view is self._set_view and self._set_view.do_back():
            return True
        if len(self.trail) > 1:
            self.trail = self.trail[:-1]
            self._show_end()
            self.view.focus_pane()
            return True
        return False

    def do_find(self) -> bool:
        """Open the search of what is on the screen; False for jobs, which the filter narrows."""
        if self.peeking or (self.view is self._set_view and self._set_view.open_pane != RUNS):
            return False
        if self.view.reader() is None:
            self.notify("there is nothing to search here", markup=False, timeout=2)
        else:
            self._find.open()
        return True

    def do_log(self) -> None:
        key = self.target
        if key is None or self.store is None:
            self.notify("there is no job under the cursor", markup=False, timeout=2)
            return
        if self.view is not self._job_view:
            self.open(JobSubject(key, self.store.run_of(self.trail[-1])))
        elif self.subject is not None and self._job_view.subject != self.subject:
            self._job_view.show(self.subject, self.store)  # it was peeked at, and not shown
        self._job_view.show_log()
        self._job_view.focus_pane()

    def do_next_sibling(self) -> bool:
        return self._to_sibling(1)

    def do_previous_sibling(self) -> bool:
        return self._to_sibling(-1)

    def _to_sibling(self, step: int) -> bool:
        """From a job or run that was opened here to the one beside it; False if none was."""
        if len(self.trail) < 2:
            return False
        found: Subject | None = None
        match self.subject:
            case JobSubject(key):
                table = self._set_view.jobs.table
                if not table.move_to(key):
                    return False
                table.move_by(step)
                found = None if table.row is None else JobSubject(table.row.key, table.row.run)
            case RunSubject(run):
                found = self._run_beside(run, step)
            case _:
                return False
        if found is None or found == self.subject:
            self.notify("there is no other beside it that way", markup=False, timeout=2)
        else:
            self.trail = (*self.trail[:-1], found)
            self._show_end()
        return True

    def _run_beside(self, run: RunKey, step: int) -> RunSubject | None:
        experiment = None if self.store is None else self.store.experiment(run.experiment)
        runs = () if experiment is None else experiment.runs
        place = runs.index(run) + step if run in runs else -1
        return RunSubject(runs[place]) if 0 <= place < len(runs) else None

    def _show_end(self) -> None:
        subject, store = self.subject, self.store
        if subject is None or store is None:
            return
        self._find.clear()
        self._show_view()
        if self.peeking:
            self._feed_peek()
            return
        shown: Subject = subject
        if isinstance(subject, EarlierRunsSubject):
            shown = ExperimentSubject(subject.experiment)
        self.view.show(shown, store)
        if isinstance(subject, EarlierRunsSubject):
            self._set_view.choose(RUNS)
        self.post_message(self.Shown(subject))

    def _show_view(self) -> None:
        self._peek.display = self.peeking
        for view in self._views:
            view.display = view is self.view and not self.peeking

    def _feed_peek(self) -> None:
        if self.store is not None and self.trail:
            self._peek.show_subject(self.trail[0], self.store, since=self._since)

    @property
    def peeking(self) -> bool:
        """Whether there is room for a few lines only."""
        beside = self._alone or self.screen.has_class("-wide")
        return 0 < self.size.height < (LEAST if beside else PEEK_BELOW)

    def stand_alone(self, alone: bool) -> None:
        """Whether the tree is not shown."""
        self._alone = alone
        if self._peek.display != self.peeking:
            self._show_end()

    @property
    def _views(self) -> tuple[SubjectView, ...]:
        return (
            self._workspace_view,
            self._set_view,
            self._job_view,
            self._trash_view,
            self._obsolete_view,
            self._cleaned_view,
        )

    def _tick(self) -> None:
        if self.trail and self.display and self.screen.is_active:
            self._peek.tick() if self.peeking else self.view.tick()

    def on_workspace_view_experiment_opened(self, message: WorkspaceView.ExperimentOpened) -> None:
        message.stop()
        self.open(ExperimentSubject(message.name))

    def on_set_view_job_opened(self, message: SetView.JobOpened) -> None:
        message.stop()
        self.open(JobSubject(message.job.key, message.job.run))

    def on_set_view_run_opened(self, message: SetView.RunOpened) -> None:
        message.stop()
        self.open(RunSubject(RunKey(message.view.experiment, message.view.run)))
        self._set_view.choose(JOBS)

    def on_trash_view_clean_opened(self, message: TrashView.CleanOpened) -> None:
        message.stop()
        self.open(CleanedSubject(message.name))

    def on_job_view_link_opened(self, message: JobView.LinkOpened) -> None:
        message.stop()
        target = message.target
        if isinstance(target, LogSubject):
            self._job_view.choose(LOG)
            self._job_view.show_log(target.stream)
            self._job_view.focus_pane()
        else:
            self.open(target)

    def on_table_marks_wanted(self, message: Table.MarksWanted) -> None:
        message.stop()
        self.post_message(self.MarksWanted(_jobs_among(message.marks)))

    def on_find_line_changed(self, message: FindLine.Changed) -> None:
        message.stop()
        self._look_for(message.text)

    def on_find_line_closed(self, message: FindLine.Closed) -> None:
        message.stop()
        self.view.focus_pane()

    def _look_for(self, text: str) -> None:
        """Lists narrow to the rows that hold every word, texts jump to the first hit."""
        reader = self.view.reader()
        if isinstance(reader, Lines):
            reader.find(text)
        elif isinstance(reader, Table):
            reader.narrow(reader.holds(text))


def _jobs_among(marks: frozenset[Hashable]) -> frozenset[JobKey]:
    """Those that are jobs: of all of very many, which are marked with one key, too."""
    if set(map(type, marks)) <= {JobKey}:
        return cast("frozenset[JobKey]", marks)
    return frozenset(mark for mark in marks if isinstance(mark, JobKey))
