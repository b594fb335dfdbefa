"""A screen on which plans of removal are asked for, and the trash is emptied."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import partial

from xpm_engine.verbs.cleaning.clean import Transaction
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.scan import RunView
from xpm_tui.cleaning.planning import PlanOrder
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.screens.jump_screen import JumpScreen
from xpm_tui.screens.removing import (
    budget_dialog,
    moved_words,
    proposed,
    purge_cleans,
    purge_dialog,
)
from xpm_tui.store import (
    EarlierRunsSubject,
    ExperimentSubject,
    ObsoleteSubject,
    RunKey,
    RunSubject,
    Subject,
    TrashSubject,
)
from xpm_tui.widgets.cleaning.obsolete import ObsoleteView
from xpm_tui.widgets.cleaning.trash import TrashView


class RemoveScreen(JumpScreen):
    """Carries out `x` on whatever it was pressed."""

    @abstractmethod
    def removal_target(self) -> Subject | RunView | frozenset[JobKey]:
        """What `x` is about: jobs, or something else that a plan can be made of."""

    @property
    @abstractmethod
    def marks_left_alone(self) -> int:
        """Marked jobs that the filter hides."""

    def do_remove(self) -> None:
        """Plan a removal; nothing moves before it is carried out there."""
        target = self.removal_target()
        if isinstance(target, TrashSubject):
            done = tuple(clean for clean in self.app.store.trash if not clean.unfinished)
            self._ask_purge(done)
            return
        self.app.push_screen(CleanScreen(self.plan_of(target), left_alone=self.marks_left_alone))

    def plan_of(self, target: Subject | RunView | frozenset[JobKey]) -> PlanOrder:
        """What the plan of a removal is to be about."""
        store = self.app.store
        order = PlanOrder(store.workspace, *store.known_now())
        found = store.obsolete
        if found is not None:
            order = replace(order, sizes=found.sizes)
        match target:
            case ObsoleteSubject():
                return order
            case RunSubject(run):
                return replace(order, runs=(run,), runs_chosen=True)
            case RunView(experiment=experiment, run=run):
                return replace(order, runs=(RunKey(experiment, run),), runs_chosen=True)
            case EarlierRunsSubject(name):
                named = store.experiment(name)
                runs = () if named is None else named.earlier
                return replace(order, runs=runs, runs_chosen=True)
            case ExperimentSubject(name):
                named = store.experiment(name)
                runs = () if named is None else named.runs
                return replace(order, keys=tuple(sorted(store.keys(target))), runs=runs)
            case frozenset():
                return replace(order, keys=tuple(sorted(target)))
            case _:
                return replace(order, keys=tuple(sorted(store.keys(target))))

    def things(self, target: Subject | RunView | frozenset[JobKey]) -> int:
        """How much else than jobs `x` would be about."""
        store = self.app.store
        match target:
            case TrashSubject():
                return len(store.trash)
            case ObsoleteSubject():
                return 0 if store.obsolete is None else len(store.obsolete.rows)
            case RunSubject() | RunView() | EarlierRunsSubject() | ExperimentSubject():
                return 1
            case _:
                return 0

    def on_trash_view_purge_wanted(self, message: TrashView.PurgeWanted) -> None:
        message.stop()
        self._ask_purge(message.cleans)

    def on_obsolete_view_carry_out_wanted(self, message: ObsoleteView.CarryOutWanted) -> None:
        message.stop()
        work = partial(self.app.deeds.move, message.removal, message.ticked)
        self.say("moving to the trash…")
        self.in_thread(work, self._moved)

    def on_obsolete_view_budget_wanted(self, message: ObsoleteView.BudgetWanted) -> None:
        message.stop()
        pane = message.pane
        if pane.removal is None:
            self.say("it is not ready yet")
            return

        def answered(text: str | None) -> None:
            if text is not None and pane.removal is not None:
                offers, words = proposed(pane.removal, text)
                pane.tick(offers)
                self.say(words)

        self.app.push_screen(budget_dialog(pane.removal), answered)

    def _moved(self, done: Transaction) -> None:
        if not done.empty:
            self.app.note_change(done.name)
        self.say(moved_words(done), bad=done.empty)

    def _ask_purge(self, cleans: tuple[Transaction, ...]) -> None:
        if not cleans:
            self.say("x: nothing in the trash can be deleted now", bad=True)
            return
        deeds = self.app.deeds

        def purged(words: str) -> None:
            self.app.forget_purged(cleans)
            self.done(words)

        def answered(word: str | None) -> None:
            if word is None:
                self.say("nothing was deleted")
            else:
                self.say("deleting…")
                self.in_thread(partial(purge_cleans, deeds, cleans), purged)

        self.app.push_screen(purge_dialog(cleans), answered)
