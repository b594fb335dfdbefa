"""The plan of a removal: what would be moved to the trash, why, and who needs it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Rule

from xpm_engine.errors import XpmError
from xpm_engine.verbs.cleaning.clean import Transaction
from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_tui import look
from xpm_tui.actions.acting import ActingScreen
from xpm_tui.actions.action import Situation, Stage
from xpm_tui.cleaning.planning import PlanOrder
from xpm_tui.cleaning.removal import Removal
from xpm_tui.own_faults import foreseen
from xpm_tui.screens.removing import budget_dialog, moved_words, proposed
from xpm_tui.settling import settle
from xpm_tui.widgets.cleaning.plan_pane import PlanPane
from xpm_tui.widgets.cleaning.plan_table import ROOMY, PlanTable
from xpm_tui.widgets.frame.find_line import FindLine
from xpm_tui.widgets.frame.key_bar import KeyBar, typing_keys
from xpm_tui.widgets.frame.sides import Sides
from xpm_tui.widgets.frame.status_bar import StatusBar

if TYPE_CHECKING:
    from xpm_tui.app import XpmApp


class CleanScreen(ActingScreen[None]):
    """Shows a plan; `X` carries out what is ticked, `esc` leaves everything as it is."""

    CSS_PATH = "clean.tcss"

    class Planned(Message):
        """The plan is made, or more of its sizes are known."""

        def __init__(self, removal: Removal, days: int) -> None:
            super().__init__()
            self.removal = removal
            self.days = days

    class Moved(Message):
        """The plan was carried out."""

        def __init__(self, done: Transaction) -> None:
            super().__init__()
            self.done = done

    class NotDone(Message):
        """Planning or moving failed as a whole; nothing was touched."""

        def __init__(self, error: XpmError) -> None:
            super().__init__()
            self.error = error

    def __init__(self, order: PlanOrder, *, left_alone: int = 0) -> None:
        """`left_alone` jobs are marked, but hidden by the filter: that is said."""
        super().__init__()
        self._order = order
        self._left_alone = left_alone
        self._left = False

    def compose(self) -> ComposeResult:
        yield Sides(id="title")
        yield Rule(line_style="solid", id="rule")
        yield PlanPane()
        yield FindLine()
        yield StatusBar(id="status")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self._table.focus()
        self._draw()
        if self._left_alone:
            self.query_one(StatusBar).say(look.hidden_words(self._left_alone))
        self.run_worker(self._make_plan, thread=True, exit_on_error=False)

    def on_unmount(self) -> None:
        self._left = True

    def _make_plan(self) -> None:
        """In a thread: plan, show, then measure, which reads every folder in the plan."""
        deeds = self._app.deeds
        try:
            with foreseen():
                removal, days = deeds.plan(self._order)

                def tell(known: Removal) -> None:
                    self.post_message(self.Planned(known, days))

                tell(removal)
                deeds.measure(removal, tell, stopped=lambda: self._left)
        except XpmError as error:
            self.post_message(self.NotDone(error))

    def _move(self, removal: Removal, ticked: frozenset[Offer]) -> None:
        """In a thread; ends in one message."""
        try:
            with foreseen():
                done = self._app.deeds.move(removal, ticked)
        except XpmError as error:
            self.post_message(self.NotDone(error))
        else:
            self.post_message(self.Moved(done))

    def on_clean_screen_planned(self, message: Planned) -> None:
        message.stop()
        first = self._pane.removal is None
        self._pane.days = message.days
        ticked = message.removal.offering.ticked if first else None
        self._pane.take(message.removal, ticked=ticked)
        settle(self._app.store)
        self._draw()

    def on_clean_screen_moved(self, message: Moved) -> None:
        message.stop()
        done = message.done
        if not done.empty:
            self._app.note_change(done.name)
        self.dismiss()
        self._app.call_later(self._app.tell, moved_words(done), bad=done.empty)

    def on_clean_screen_not_done(self, message: NotDone) -> None:
        message.stop()
        self._pane.busy = False
        self._pane.show_trouble(message.error)
        self._draw()

    def on_plan_pane_ticked(self, message: PlanPane.Ticked) -> None:
        message.stop()
        self._draw()

    def on_plan_pane_refused(self, message: PlanPane.Refused) -> None:
        message.stop()
        self.say(look.plain(message.why), bad=True)

    def on_key_bar_clicked(self, message: KeyBar.Clicked) -> None:
        message.stop()
        self.choose(message.action.id)

    def on_find_line_changed(self, message: FindLine.Changed) -> None:
        message.stop()
        self._table.narrow(self._table.holds(message.text))

    def on_find_line_closed(self, message: FindLine.Closed) -> None:
        message.stop()
        self._table.focus()

    def situation(self) -> Situation:
        return Situation(
            readonly=self._app.readonly,
            jobs=len(self._pane.ticked),
            changes=len(self._app.changes),
        )

    def say(self, message: str, *, bad: bool = False) -> None:
        self.query_one(StatusBar).say(message, bad=bad)

    @property
    def idle(self) -> frozenset[str]:
        """The actions that find nothing to do in this plan."""
        return self._pane.idle

    def do_find(self) -> None:
        self.query_one(FindLine).open()

    def do_budget(self) -> None:
        """Tick what frees so much as cheaply as possible."""
        removal = self._pane.removal
        if removal is None or self._pane.busy:
            self.say("it is not ready yet")
            return

        def answered(text: str | None) -> None:
            now = self._pane.removal
            if text is not None and now is not None:
                offers, words = proposed(now, text)
                self._pane.tick(offers)
                self.say(words)

        self._app.push_screen(budget_dialog(removal), answered)

    def do_carry_out(self) -> None:
        """Move what is ticked: exactly what the screen shows at this moment."""
        pane = self._pane
        if pane.removal is None or pane.busy:
            self.say("it is not ready yet")
        elif pane.typed_ahead:
            self.say("typed before the plan was shown: look at it, then press X again", bad=True)
        elif not pane.ticked:
            self.say("nothing is ticked: space ticks", bad=True)
        else:
            pane.busy = True
            pane.show_trouble(None)
            self._draw()
            work = partial(self._move, pane.removal, pane.ticked)
            self.run_worker(work, thread=True, exit_on_error=False)

    def do_back(self) -> None:
        if self._pane.busy:
            self.say("it is being moved; z takes it back afterwards")
        elif self.query_one(FindLine).text:
            self.query_one(FindLine).clear()
        else:
            self.dismiss()

    def do_quit(self) -> None:
        if self._pane.busy:
            self.do_back()
        else:
            self.dismiss()

    def _draw(self) -> None:
        removal = self._pane.removal
        title = "Moving to the trash…" if self._pane.busy else self._order.title
        self.query_one("#title", Sides).show(Text(title, "xpm.title"), self._pane.totals())
        words = "" if removal is None else f"sizes {len(removal.sizes):,} of {len(removal.rows):,}"
        if self.size.width >= ROOMY:
            words = f"checked again before each move · {words}"
        badge = Text("moving…" if self._pane.busy else words, "xpm.faint")
        self.query_one(StatusBar).show_facts(badge)
        self._show_keys()

    def _show_keys(self) -> None:
        keys = self.query_one(KeyBar)
        typing = typing_keys(self.focused)
        if typing:
            keys.show_typing(typing)
        else:
            keys.show(self.possible(), stage=Stage.PLAN)

    def on_descendant_focus(self) -> None:
        self.call_after_refresh(self._show_keys)

    @property
    def _app(self) -> XpmApp:
        return cast("XpmApp", self.app)  # pyright: ignore[reportUnknownMemberType]

    @property
    def _pane(self) -> PlanPane:
        return self.query_one(PlanPane)

    @property
    def _table(self) -> PlanTable:
        return self._pane.table
