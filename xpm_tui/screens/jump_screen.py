"""A screen from which one jumps: by the palette, and to where the app was asked to open."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable

from textual.css.query import NoMatches
from textual.widget import Widget

from xpm_engine.workspace.layout import JobKey
from xpm_tui.screens.arriving import Goal, left_at, meant, why_not
from xpm_tui.screens.job_screen import JobScreen
from xpm_tui.screens.palette import (
    Chosen,
    Kind,
    Palette,
    action_entries,
    other_entries,
    theme_entries,
)
from xpm_tui.session import Session
from xpm_tui.store import ExperimentSubject
from xpm_tui.widgets.right_side import RightSide
from xpm_tui.widgets.tree.model import RowKey
from xpm_tui.widgets.tree.tree import Tree


class JumpScreen(JobScreen):
    """Tree and right side, as far as jumping to a place in them goes."""

    def __init__(self, *, session: Session, goal: Goal) -> None:
        """Opens at the goal, else where the session was left."""
        super().__init__()
        self.session = session
        self._goal = goal
        self._cursor = None if goal else RowKey(session.cursor)

    @property
    def ready(self) -> bool:
        """Whether its parts are there: not yet before it is mounted, not any more when it goes."""
        # One that goes is not displayed from then on, and loses one part after the other.
        there = self.is_mounted and self.display
        return there and self._has(Tree) and self._has(RightSide)

    def _has(self, kind: type[Widget]) -> bool:
        # Unlike a query of all, what was found is remembered until something comes or goes.
        try:
            return self.query_one(kind).is_attached
        except NoMatches:
            return False

    def arrive(self) -> None:
        """Go where the app was to open, as soon as that was read; a key comes before it."""
        store, goal, tree = self.app.store, self._goal, self.query_one(Tree)
        checked = store.checked >= 1.0
        if self._cursor is not None and (tree.move_to(self._cursor) or checked):
            self._cursor = None
        if not goal:
            return
        found = meant(store, goal.job) if goal.job else []
        if len(found) == 1:
            self.go_to_job(found[0])
        elif not (goal.experiment and self.go_to(goal.experiment)):
            if not checked:
                return
            self.say(why_not(store, goal), bad=True)
        self._goal = Goal()

    def on_key(self) -> None:
        self._cursor, self._goal = None, Goal()

    def left_at(self) -> Session:
        """How it is now, to be kept until the next time."""
        return left_at(self.app.store, self.query_one(Tree), self.query_one(RightSide))

    @abstractmethod
    def find_jobs(self, text: str, then: Callable[[Iterable[JobKey]], None]) -> None:
        """Tell the jobs that a text means, the likeliest first: at once, or when a thread has found
        them."""

    @abstractmethod
    def show_job(self, key: JobKey) -> None:
        """Show a job: in the tree where it has room for it, else on the right side."""

    @abstractmethod
    def enter_tree(self) -> None:
        """Focus the tree."""

    @abstractmethod
    def enter_right(self) -> None:
        """Focus the right side."""

    def go_to(self, experiment: str) -> bool:
        """Put the tree's cursor on an experiment; False if there is none of this name."""
        self.enter_tree()
        return self.query_one(Tree).move_to(RowKey(ExperimentSubject(experiment)))

    def go_to_job(self, key: JobKey) -> None:
        """Jump to a job."""
        self.enter_tree()
        self.show_job(key)

    def do_palette(self) -> None:
        """Every action, job, experiment, tab and theme."""
        right, store = self.query_one(RightSide), self.app.store
        tabs = () if right.peeking else right.view.TITLES
        entries = [
            *action_entries(self.explained()),
            *other_entries(store, tabs),
            *theme_entries(),
        ]
        self.app.push_screen(Palette(entries, store, self.find_jobs), self._go)

    def _go(self, name: str | None) -> None:
        match None if name is None else Chosen.parse(name):
            case None:
                pass
            case Chosen(Kind.JOB, key):
                self.go_to_job(JobKey.parse(key))
            case Chosen(Kind.EXPERIMENT, experiment):
                self.go_to(experiment)
            case Chosen(Kind.TAB, number):
                self.enter_right()
                self.query_one(RightSide).do_tab(int(number))
            case Chosen() as other:
                self.app.carry_out(other)
