"""The right side of what is obsolete: the plan, unticked."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.message import Message
from textual.widget import Widget

from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_tui import look
from xpm_tui.cleaning.removal import Removal
from xpm_tui.store import Changed
from xpm_tui.widgets.cleaning.plan_pane import PlanPane
from xpm_tui.widgets.subject_view import SubjectView


class ObsoleteView(SubjectView):
    """Rows to tick; `X` moves what is ticked, `x` opens the plan on the whole screen."""

    class CarryOutWanted(Message):
        """What is ticked is to be moved."""

        def __init__(self, removal: Removal, ticked: frozenset[Offer]) -> None:
            super().__init__()
            self.removal = removal
            self.ticked = ticked

    class BudgetWanted(Message):
        """So much is to be freed as cheaply as possible."""

        def __init__(self, pane: PlanPane) -> None:
            super().__init__()
            self.pane = pane

    def make_panes(self) -> Sequence[Widget]:
        self.plan = PlanPane()
        return (self.plan,)

    def touched(self, changed: Changed) -> bool:
        return changed.obsolete

    def feed(self, pane: int) -> None:
        found = None if self.store is None else self.store.obsolete
        if found is None:
            self.strip.show(Text("looking for what is obsolete…", "xpm.faint"))
            return
        unsure = "" if found.measured else "≥ "
        line = Text().append("Obsolete", "xpm.title")
        line.append(f"   {look.plural(len(found.rows), 'row')}, {unsure}{look.size(found.size)}")
        line.append(f"   {self.plan.totals().plain}", "xpm.faint")
        words = "space ticks, X moves what is ticked, x opens the whole plan, enter tells more"
        self.strip.show(line, Text(words, "xpm.faint"))
        if self.plan.removal is not found:
            self.plan.take(found)

    def focus_pane(self) -> None:
        self.plan.table.focus()

    @property
    def idle(self) -> frozenset[str]:
        """The actions that find nothing to do in this plan."""
        return self.plan.idle if self.plan.removal is not None else self.plan.idle | {"budget"}

    def do_carry_out(self) -> None:
        plan = self.plan
        if plan.removal is None or not plan.ticked:
            self.notify("nothing is ticked: space ticks", severity="warning", markup=False)
        elif plan.typed_ahead:
            self.notify("typed before the plan was shown: look at it, then press X again")
        else:
            self.post_message(self.CarryOutWanted(plan.removal, plan.ticked))

    def do_budget(self) -> None:
        self.post_message(self.BudgetWanted(self.plan))

    def on_plan_pane_ticked(self, message: PlanPane.Ticked) -> None:
        message.stop()
        self.feed(0)

    def on_plan_pane_refused(self, message: PlanPane.Refused) -> None:
        message.stop()
        self.notify(look.plain(message.why), severity="warning", markup=False)
