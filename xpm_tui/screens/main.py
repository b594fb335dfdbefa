"""The main screen: the tree picks a set, the right side shows it."""

from __future__ import annotations

from time import monotonic

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import format_time
from xpm_engine.workspace.scan import RunView
from xpm_tui.actions.action import Action, Situation, Stage
from xpm_tui.look import plural, when
from xpm_tui.screens.arriving import Goal, restore
from xpm_tui.screens.capture import Capture
from xpm_tui.screens.filter_screen import FilterScreen
from xpm_tui.screens.idle import idle_on_jobs, idle_on_row
from xpm_tui.screens.panes_screen import WIDE
from xpm_tui.session import Session
from xpm_tui.settling import settle
from xpm_tui.store import (
    AllJobsSubject,
    Changed,
    JobSubject,
    ObsoleteSubject,
    Store,
    Subject,
    TrashSubject,
    WorkspaceSubject,
)
from xpm_tui.widgets.frame.key_bar import KeyBar, typing_keys
from xpm_tui.widgets.frame.status_bar import StatusBar, badge
from xpm_tui.widgets.log.view import LogView
from xpm_tui.widgets.right_side import RightSide
from xpm_tui.widgets.tree.tree import Tree


class MainScreen(FilterScreen):
    """Tree and right side, with where one is above, and what one can do below."""

    CSS_PATH = "main.tcss"

    def __init__(
        self, store: Store, *, session: Session | None = None, goal: Goal | None = None
    ) -> None:
        """Opens at the goal, else where the session was left."""
        super().__init__(store, session=session or Session(), goal=goal or Goal())
        self._marks: frozenset[JobKey] = frozenset()
        self._status = StatusBar(id="status")
        self._keys = KeyBar(id="keys")
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
        if changed.moved and changed and not self._filter.text:
            self._tree.show_moved(self._store, changed.jobs)
            self._right.show_moved(self._store, changed.jobs)
            self.arrive()
            return
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

    def _tick(self) -> None:
        self._filter.grow_older()
        if self.is_current:
            self._tree.tick()
            self._show_facts()
            self._prepare_answers()

    def after_action(self) -> None:
        self._acted_at = monotonic()
        self._prepare()
        self._show_facts()
        self._show_keys()

    def show_doing(self) -> None:
        """What goes on in the background is further, or over."""
        self._show_facts()

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
            problem=store.problem,
            acting=self._acting_words(),
        )

    def _acting_words(self) -> str:
        """What keys act on where one row stands for several jobs."""
        cause = self.here().cause
        if cause is None or len(cause.jobs) < 2:
            return ""
        if self.size.width < WIDE:
            return f"actions take all {len(cause.jobs):,}"
        count = plural(len(cause.jobs), "job")
        return f"{count} under the cursor; actions take all of them unless some are marked"

    def _show_keys(self) -> None:
        if self.is_mounted:
            typing = typing_keys(self.focused)
            if typing:
                self._keys.show_typing(typing)
                return
            in_log = isinstance(self.focused, LogView)
            self._keys.show(self.offered(), stage=Stage.LOG if in_log else Stage.LISTS)

    def offered(self) -> list[Action]:
        """The actions that the last row may name: those that find something to do."""
        marks = self.seen_marks
        if marks or self._right.has_focus_within:
            idle = idle_on_jobs(self._store, marks or self._right.under_cursor)
        else:
            idle = idle_on_row(self._store, self._tree.row)
        return [action for action in self.possible() if action.id not in idle]

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

    # What keys are about

    def targets(self) -> frozenset[JobKey]:
        """The jobs that an action is about: the marked ones, else what is under the cursor.

        Marks that the filter hides are never acted on.
        """
        return frozenset(self.seen_marks or self._under_cursor())

    def capture(self) -> Capture:
        keys = self.targets()
        order = [key for key in self._store.keys(AllJobsSubject()) if key in keys]
        jobs = tuple(self._store.job(key, self._store.home_of(key)) for key in order)
        hidden = self.hidden_marks
        return Capture(jobs, len(hidden), marked=bool(self._marks - hidden))

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

    @property
    def seen_marks(self) -> frozenset[JobKey]:
        """The marked jobs that the filter does not hide."""
        return self._marks if self._store.wanted is None else self._marks - self.hidden_marks

    @property
    def marks_left_alone(self) -> int:
        return len(self.hidden_marks)

    def removal_target(self) -> Subject | RunView | frozenset[JobKey]:
        marks = self.seen_marks
        if marks:
            return marks
        if not self._right.has_focus_within:
            return self._tree.subject
        if isinstance(self._right.subject, (TrashSubject, ObsoleteSubject)):
            return self._right.subject
        row = self._right.run_row
        return self.targets() if row is None else row

    def _mark(self, marks: frozenset[JobKey]) -> None:
        self._marks = marks
        self._tree.show_marks(marks)
        self._right.show_marks(marks)
        self._filter.mark(marks)
        if self._filter.asks_marks and self._ask():
            self._show_narrowed()
        self._show_facts()

    # Messages

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

    # Keys

    def do_back(self) -> None:
        if self._right.has_focus_within:
            self.enter_tree()
        elif self._filter.text:
            self._type("")
        elif self._alone is self._tree:
            self._show_alone(None)
        else:
            self.say("q leaves; jobs and plans go on")

    @property
    def idle(self) -> frozenset[str]:
        """The actions that find nothing to do with these marks."""
        return frozenset() if self._marks else frozenset(("unmark_all",))

    def do_unmark_all(self) -> None:
        self._mark(frozenset())

    def do_undo(self) -> None:
        self.app.undo_last()

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
