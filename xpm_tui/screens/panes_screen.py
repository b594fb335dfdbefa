"""The two panes of the main screen: the tree picks a set, the right side follows it."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from textual.timer import Timer
from textual.widget import Widget

from xpm_engine.workspace.layout import JobKey
from xpm_tui.screens.arriving import Goal
from xpm_tui.screens.remove_screen import RemoveScreen
from xpm_tui.session import Session
from xpm_tui.store import JobSubject, LogSubject, Store, Subject, WorkspaceSubject
from xpm_tui.widgets.frame.title_bar import TitleBar
from xpm_tui.widgets.here import Here
from xpm_tui.widgets.right_side import RightSide
from xpm_tui.widgets.tree.keys import KeyTree
from xpm_tui.widgets.tree.tree import Tree

if TYPE_CHECKING:
    from xpm_tui.app import XpmApp

WIDE = 100
"""Cells from which on tree and right side stand side by side."""

FOLLOW = 0.08
"""Seconds of quiet before the right side follows a cursor that goes on and on."""


class PanesScreen(RemoveScreen):
    """Where the focus is, and what the right side shows."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 (Textual's form)

    app: XpmApp

    def __init__(self, store: Store, *, session: Session, goal: Goal) -> None:
        super().__init__(session=session, goal=goal)
        self._store = store
        self._title = TitleBar(id="title")
        self._tree = KeyTree(clock=self.app.clock, id="tree")
        self._right = RightSide(since=session.at or None, id="right")
        self._follow: Timer | None = None
        self._moved_at = 0.0
        self._alone: Widget | None = None
        """The pane that is shown without the other one."""

    # What is shown

    def here(self) -> Here:
        return self._right.here if self._right.has_focus_within else Here(self._tree.subject)

    def _under_cursor(self) -> Sequence[JobKey]:
        return (
            self._right.under_cursor
            if self._right.has_focus_within
            else self._store.keys(self._tree.subject)
        )

    def _show_subject(self) -> None:
        """Let the right side show what the tree's cursor is on."""
        self._follow = None
        self._right.show(self._tree.subject, self._store)
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

    # Keys

    def do_next_pane(self) -> None:
        if self._tree.has_focus:
            self.enter_right()
        else:
            self.enter_tree()

    def do_previous_pane(self) -> None:
        self.do_next_pane()

    def do_alone(self) -> None:
        pane = self._right if self._right.has_focus_within else self._tree
        self._show_alone(None if self._alone is pane else pane)

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

    def enter_right(self) -> None:
        """Focus the right side; where there is no room for both, in the tree's place."""
        if self.has_class("-narrow"):
            self._show_alone(self._right)
        elif self._alone is self._tree:
            self._show_alone(None)
        self._right.focus_view()

    def enter_tree(self) -> None:
        """Focus the tree, at once: what was typed ahead belongs to it."""
        if self._alone is self._right:
            self._show_alone(None)
        self.set_focus(self._tree)

    def _show_alone(self, pane: Widget | None) -> None:
        """Show one of the panes alone, or both.

        A class of the screen would say it more shortly; everything in it would be dressed anew.
        """
        if pane is self._alone:
            return
        self._alone = pane
        tree, right = self._tree, self._right
        tree.display, right.display = pane is not right, pane is not tree
        tree.styles.width = "1fr" if pane is tree else None
        tree.styles.border_right = ("none", tree.styles.color) if pane is tree else None
        right.styles.border_top = ("none", right.styles.color) if pane is right else None
        right.stand_alone(pane is right)
