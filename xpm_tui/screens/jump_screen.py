"""A screen from which one jumps: the palette, to jobs, experiments and tabs by their names."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from xpm_engine.workspace.layout import JobKey
from xpm_tui.screens.job_screen import JobScreen
from xpm_tui.screens.palette import (
    Chosen,
    Kind,
    Palette,
    action_entries,
    other_entries,
    theme_entries,
)
from xpm_tui.store import ExperimentSubject
from xpm_tui.widgets.right_side import RightSide
from xpm_tui.widgets.tree import Tree
from xpm_tui.widgets.tree_model import RowKey


class JumpScreen(JobScreen):
    """Tree and right side, as far as jumping to a place in them goes."""

    @abstractmethod
    def find_jobs(self, text: str) -> Sequence[JobKey]:
        """The jobs that a text means, the likeliest first."""

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
