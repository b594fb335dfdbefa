"""The main screen: the tree picks a set, the right side shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from xpm_engine.verbs.jobs.snapshots import Snapshot
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import format_time
from xpm_engine.workspace.scan import RunView
from xpm_tui.actions.action import Situation, Stage
from xpm_tui.job_filter import Answer, JobFilter, Work
from xpm_tui.look import when
from xpm_tui.screens.arriving import Goal, restore
from xpm_tui.screens.capture import Capture
from xpm_tui.screens.idle import idle_on_jobs, idle_on_row
from xpm_tui.screens.remove_screen import RemoveScreen
from xpm_tui.session import Session
from xpm_tui.settling import settle
from xpm_tui.store import (
    AllJobsSubject,
    Changed,
    JobSubject,
    LogSubject,
    ObsoleteSubject,
    Store,
    Subject,
    TrashSubject,
    WorkspaceSubject,
)
from xpm_tui.store.columns import AllColumns
from xpm_tui.widgets.frame.filter_line import FilterLine
from xpm_tui.widgets.frame.key_bar import KeyBar, typing_keys
from xpm_tui.widgets.frame.status_bar import StatusBar, badge
from xpm_tui.widgets.frame.title_bar import TitleBar
from xpm_tui.widgets.here import Here
from xpm_tui.widgets.log.view import LogView
from xpm_tui.widgets.right_side import RightSide
from xpm_tui.widgets.tree.keys import KeyTree
from xpm_tui.widgets.tree.model import RowKey
from xpm_tui.widgets.tree.tree import Tree

if TYPE_CHECKING:
    from xpm_tui.app import XpmApp

WIDE = 100
"""Cells from which on tree and right side stand side by side."""

FOLLOW = 0.08
"""Seconds of quiet before the right side follows a cursor that goes on and on."""


CALM = 1.0
"""Seconds without a key before what the next ones may ask for is worked out."""

AHEAD = 0.02
"""Seconds in each that this may take."""


class MainScreen(RemoveScreen):
    """Tree and right side, with where one is above, and what one can do below."""

    CSS_PATH = "main.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 (Textual's form)

    app: XpmApp

    class Answered(Message):
        """The filter was asked, in a thread."""

        def __init__(self, answer: Answer) -> None:
            super().__init__()
            self.answer = answer

    class Prepared(Message):
        """Columns of all jobs were made, in a thread."""

        def __init__(self, columns: AllColumns) -> None:
            super().__init__()
            self.columns = columns

    def __init__(
        self, store: Store, *, session: Session | None = None, goal: Goal | None = None
    ) -> None:
        """Opens at the goal, else where the session was left."""
        super().__init__(session=session or Session(), goal=goal or Goal())
        self._store = store
        self._marks: frozenset[JobKey] = frozenset()
        self._filter = JobFilter(store, clock=self.app.clock)
        self._asking = False
        self._preparing = False
        self._prepared = False
        """Whether columns were made once: again only where something is sorted by them."""
        self._title = TitleBar(id="title")
        self._tree = KeyTree(clock=self.app.clock, id="tree")
        self._right = RightSide(since=self.session.at or None, id="right")
        self._status = StatusBar(id="status")
        self._keys = KeyBar(id="keys")
        self._filter_line = FilterLine(id="filter")
        self._find_from: Widget | None = None
        self._find_trail: Sequence[RowKey] = ()
        self._follow: Timer | None = None
        self._moved_at = 0.0
        self._acted_at = 0.0
        self._settled = False

    def compose(self) -> ComposeResult:
        yield self._title
        with Container(id="panes"):
            yield self._tree
            yield self._right
        with Container(id="foot"):
            yield self._status
            yield self._keys
            yield self._filter_line

    def on_mount(self) -> None:
        restore(self.session, self._tree, self._right)
        self._tree.show(self._store)
        self._tree.focus()
        self._show_subject()
        self._show_facts()
        self._show_keys()
        self.set_interval(1.0, self._tick)

    # What is shown

    def refresh_from(self, changed: Changed) -> None:
        """The disk was read."""
        if changed:
            if self._store.checked == 1.0 and not self._settled:
                self._settled = True
                settle(self._store)
            if changed.obsolete:
                settle(self._store)
            self._filter.note(changed)
            self._ask()
            self._tree.show(self._store)
            self._right.refresh_from(self._store, changed)
            self._prepare()
            if self._right.subject is None or self._right.subject == WorkspaceSubject():
                self._show_subject()
            self._show_place()
        self.arrive()
        self._show_facts()
        self._show_keys()

    def situation(self) -> Situation:
        in_trash = isinstance(self._right.subject, TrashSubject) and self._right.has_focus_within
        return Situation(
            readonly=self.app.readonly,
            host="" if self.app.far is None else self.app.far.place.host,
            web=self.app.is_web,
            jobs=self._target_count(),
            things=self.things(self.removal_target()),
            changes=len(self._store.trash) if in_trash else len(self.app.changes),
            fetching=self.app.fetching is not None,
        )

    def after_action(self) -> None:
        self._acted_at = monotonic()
        self._prepare()
        self._show_facts()
        self._show_keys()

    def targets(self) -> frozenset[JobKey]:
        """The jobs that an action is about: the marked ones, else what is under the cursor.

        Marks that the filter hides are never acted on.
        """
        return frozenset(self._marks - self.hidden_marks or self._under_cursor())

    def capture(self) -> Capture:
        keys = self.targets()
        order = [key for key in self._store.keys(AllJobsSubject()) if key in keys]
        jobs = tuple(self._store.job(key, self._store.home_of(key)) for key in order)
        hidden = self.hidden_marks
        return Capture(jobs, len(hidden), marked=bool(self._marks - hidden))

    def here(self) -> Here:
        return self._right.here if self._right.has_focus_within else Here(self._tree.subject)

    def _under_cursor(self) -> Sequence[JobKey]:
        return (
            self._right.under_cursor
            if self._right.has_focus_within
            else self._store.keys(self._tree.subject)
        )

    def _target_count(self) -> int:
        """As `targets`, without listing the jobs of the tree's row."""
        marks = len(self._marks) - len(self.hidden_marks)
        if marks or self._right.has_focus_within:
            return marks or len(self._right.under_cursor)
        return self._store.size(self._tree.subject)

    @property
    def hidden_marks(self) -> frozenset[JobKey]:
        """The marked jobs that the filter hides."""
        wanted = self._store.wanted
        return frozenset() if wanted is None else self._marks - wanted

    def _ask(self) -> bool:
        """Ask the filter of what changed; False if that takes a thread, which tells later."""
        slow = self._filter.slow
        if slow and self._asking:
            return False
        work = self._filter.work()
        if work is None:
            return True
        if slow:
            self._asking = True
            self.run_worker(lambda: self._answer(work), thread=True, exit_on_error=False)
        else:
            self._filter.take(work.run())
        return not slow

    def _answer(self, work: Work) -> None:
        """In a thread; ends in one message."""
        self.post_message(self.Answered(work.run()))

    def on_main_screen_answered(self, message: Answered) -> None:
        message.stop()
        self._asking = False
        before = self._store.wanted
        self._filter.take(message.answer)
        settle(self._store)
        self._right.job_table.table.sort_at_last()
        # What was typed meanwhile is asked now, and may be answered at once.
        self._ask()
        if self._store.wanted is not before:
            self._show_narrowed()

    def _prepare(self) -> None:
        """Make the columns that a table of many jobs is sorted by, in a thread, before a key."""
        kept, table = self._store.kept, self._right.job_table
        if self._preparing or self._asking or not table.many or self._store.checked < 1.0:
            return
        unsorted = table.table.model.unsorted
        soon = self._right.has_focus_within and not self._prepared
        if kept.columns is None and (soon or unsorted):
            self._preparing = self._prepared = True
            snapshot = kept.snapshot(self.app.clock())
            self.run_worker(lambda: self._make(snapshot), thread=True, exit_on_error=False)

    def _make(self, snapshot: Snapshot) -> None:
        """In a thread; ends in one message."""
        columns = AllColumns(snapshot)
        columns.warm()
        self.post_message(self.Prepared(columns))

    def on_main_screen_prepared(self, message: Prepared) -> None:
        message.stop()
        self._preparing = False
        self._store.kept.take(message.columns)
        settle(self._store)
        self._right.job_table.table.sort_at_last()
        self._prepare()

    def _show_narrowed(self) -> None:
        """The filter selects other jobs than before."""
        before = self._tree.subject
        # What is half typed hides more than is meant.
        self._tree.show_narrowed(self._find_trail if self._filter_line.is_open else None)
        if self._tree.subject == before:
            self._right.refresh_from(self._store, Changed(filter=True))
        else:
            self._show_subject()
        self._show_facts()
        self._show_filter()

    def _show_filter(self) -> None:
        if self._filter_line.is_open:
            self._filter_line.show(
                self._filter.count_words,
                self._filter.fault,
                self._filter.completions,
                broken=self._filter.broken,
            )

    def _tick(self) -> None:
        self._filter.grow_older()
        if self.is_current:
            self._tree.tick()
            self._show_facts()
            if self._store.checked == 1.0 and monotonic() - self._acted_at > CALM:
                self._prepare_answers()

    def _prepare_answers(self) -> None:
        """Work out what the next keys may ask for, so little at once that no key waits for it."""
        until = monotonic() + AHEAD
        while self._store.prepare() and monotonic() < until:
            pass

    def _show_subject(self) -> None:
        """Let the right side show what the tree's cursor is on."""
        self._follow = None
        self._right.show(self._tree.subject, self._store)
        self._prepare()
        self._show_place()

    def _show_place(self) -> None:
        shown = self._right.subject
        self._attend(self._tree.subject if shown is None else shown)
        self._title.show_place(self._store, self._tree.subject if shown is None else shown)

    def _attend(self, subject: Subject) -> None:
        """Where the workspace is on another machine, the files of the job shown are followed."""
        far = self.app.far
        if far is None:
            return
        key, attempt = None, 0
        if isinstance(subject, JobSubject | LogSubject):
            key, attempt = subject.key, self._store.job(subject.key).record.attempt
        if far.attend(key, attempt):
            self.app.watcher.look_soon()

    def _show_facts(self) -> None:
        """The status row: marks, grouping, filter and badge."""
        if not self.is_mounted:
            return
        store, as_of = self._store, self._store.as_of
        told = badge(
            self.app.watcher.hearing,
            store.checked,
            store.problem,
            readonly=self.app.readonly,
            as_of="" if as_of is None else when(format_time(as_of), self.app.clock()),
            again_in=None if self.app.far is None else self.app.far.place.link.again_in,
        )
        self._status.show_facts(
            told,
            by=self._tree.by,
            chosen=self._filter.words,
            marks=len(self._marks),
            hidden=len(self.hidden_marks),
            doing="" if self.app.fetching is None else self.app.fetching.words,
        )

    def _show_keys(self) -> None:
        if self.is_mounted:
            typing = typing_keys(self.focused)
            if typing:
                self._keys.show_typing(typing)
                return
            idle = self._idle_actions()
            useful = [action for action in self.possible() if action.id not in idle]
            in_log = isinstance(self.focused, LogView)
            self._keys.show(useful, stage=Stage.LOG if in_log else Stage.LISTS)

    def _idle_actions(self) -> frozenset[str]:
        if self._marks or self._right.has_focus_within:
            keys = self._marks - self.hidden_marks or self._right.under_cursor
            return idle_on_jobs(self._store, keys)
        return idle_on_row(self._store, self._tree.row)

    # Messages

    def on_tree_moved(self, message: Tree.Moved) -> None:
        message.stop()
        before, self._moved_at = self._moved_at, monotonic()
        if self._follow is not None:
            self._follow.reset()
        elif self._moved_at - before < FOLLOW:
            self._follow = self.set_timer(FOLLOW, self._show_subject)
        else:
            # One key alone need not wait to see whether others follow.
            self.call_after_refresh(self._show_subject)

    def on_tree_opened(self, message: Tree.Opened) -> None:
        message.stop()
        self._show_subject()
        self.enter_right()

    def on_tree_workspace_wanted(self, message: Tree.WorkspaceWanted) -> None:
        message.stop()
        self._right.show(WorkspaceSubject(), self._store)
        self._show_place()

    def on_tree_marks_wanted(self, message: Tree.MarksWanted) -> None:
        message.stop()
        keys = message.keys
        self._mark(self._marks - keys if keys <= self._marks else self._marks | keys)

    def on_right_side_marks_wanted(self, message: RightSide.MarksWanted) -> None:
        message.stop()
        self._mark(message.marks)

    def on_right_side_shown(self, message: RightSide.Shown) -> None:
        message.stop()
        self._show_place()
        self._show_keys()

    def on_key_bar_clicked(self, message: KeyBar.Clicked) -> None:
        message.stop()
        self.choose(message.action.id)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.call_after_refresh(self._show_keys)

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        message.stop()
        self._type(message.text)

    def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        message.stop()
        self.set_focus(self._tree if self._find_from is None else self._find_from)

    def _type(self, text: str) -> None:
        self._acted_at = monotonic()
        before = self._store.wanted
        self._filter.type(text)
        if self._ask() and self._store.wanted is not before:
            self._show_narrowed()
        else:
            self._show_facts()
            self._show_filter()

    def _mark(self, marks: frozenset[JobKey]) -> None:
        self._marks = marks
        self._tree.show_marks(marks)
        self._right.show_marks(marks)
        self._filter.mark(marks)
        if self._filter.asks_marks and self._ask():
            self._show_narrowed()
        self._show_facts()

    # Keys

    def do_next_pane(self) -> None:
        if self._tree.has_focus:
            self.enter_right()
        else:
            self.enter_tree()

    def do_previous_pane(self) -> None:
        self.do_next_pane()

    def do_alone(self) -> None:
        pane = "right" if self._right.has_focus_within else "tree"
        was = self.has_class(f"-{pane}-alone")
        self.set_class(not was, f"-{pane}-alone")
        self.remove_class("-tree-alone" if pane == "right" else "-right-alone")

    def do_back(self) -> None:
        if self._right.has_focus_within:
            self.enter_tree()
        elif self._filter.text:
            self._type("")
        elif self.has_class("-tree-alone"):
            self.remove_class("-tree-alone")
        else:
            self.say("q leaves; jobs and plans go on")

    def do_quit(self) -> None:
        if self._right.has_focus_within:
            self.enter_tree()
        else:
            self.app.exit()

    def do_next_sibling(self) -> None:
        self._to_sibling(1)

    def do_previous_sibling(self) -> None:
        self._to_sibling(-1)

    def _to_sibling(self, step: int) -> None:
        """The row beside the one in the tree; the right side, which shows it, keeps the focus."""
        focused = self.focused
        if self._tree.move_to_sibling(step):
            self._show_subject()
            if focused is not self._tree:
                self.enter_right()
        else:
            self.say("there is no other beside it that way")

    def do_tab(self, number: int) -> None:
        self._right.do_tab(number)

    def do_log(self) -> None:
        subject = self._tree.subject
        if not isinstance(subject, (JobSubject, LogSubject)):
            self.say("L log: there is no job under the cursor", bad=True)
            return
        self._show_subject()
        self.enter_right()
        self._right.do_log()

    def do_find(self) -> None:
        self._find_from = self.focused
        self._find_trail = self._tree.trail()
        self._filter_line.open(self._filter.text)
        self._filter.type(self._filter.text)
        self._show_filter()

    def do_unmark_all(self) -> None:
        self._mark(frozenset())

    def show_doing(self) -> None:
        """What goes on in the background is further, or over."""
        self._show_facts()

    def find_jobs(self, text: str) -> Iterable[JobKey]:
        return self._filter.find(text)

    def show_job(self, key: JobKey) -> None:
        if self._store.wanted is not None and key not in self._store.wanted:
            self._type("")
            self.say("the filter hid this job: it is off now")
        run = self._store.home_of(key)
        shown = run is not None and self._tree.reveal(key, run)
        self._show_subject()
        if not shown:
            self.enter_right()
            self._right.open(JobSubject(key, run))

    def removal_target(self) -> Subject | RunView | frozenset[JobKey]:
        marks = self._marks - self.hidden_marks
        if marks:
            return marks
        if not self._right.has_focus_within:
            return self._tree.subject
        if isinstance(self._right.subject, (TrashSubject, ObsoleteSubject)):
            return self._right.subject
        row = self._right.run_row
        return self.targets() if row is None else row

    @property
    def marks_left_alone(self) -> int:
        return len(self.hidden_marks)

    def do_undo(self) -> None:
        self.app.undo_last()

    def enter_right(self) -> None:
        """Focus the right side; where there is no room for both, in the tree's place."""
        if self.has_class("-narrow"):
            self.add_class("-right-alone")
        self.remove_class("-tree-alone")
        self._right.focus_view()

    def enter_tree(self) -> None:
        """Focus the tree, at once: what was typed ahead belongs to it."""
        self.remove_class("-right-alone")
        self.set_focus(self._tree)
