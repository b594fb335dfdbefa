"""The plan of a removal: what would be moved to the trash, how large it is, and who needs it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Rule

from xpm_engine.errors import XpmError
from xpm_engine.verbs.clean import (
    RemovalPlan,
    RemovalRow,
    Transaction,
    carry_out,
    measure,
    moved_sentence,
    plan_removal,
)
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.scan import JobRecord
from xpm_tui import look
from xpm_tui.acting import ActingScreen
from xpm_tui.actions import Situation
from xpm_tui.screens.dialog import GRACE
from xpm_tui.widgets.key_bar import KeyBar
from xpm_tui.widgets.plan_table import PlanTable, first_ticks, need_words, row_titles
from xpm_tui.widgets.sides import Sides
from xpm_tui.widgets.status_bar import StatusBar
from xpm_tui.widgets.table import Table
from xpm_tui.widgets.words import Words

if TYPE_CHECKING:
    from xpm_tui.app import XpmApp

MOST_DOUBTS = 2
"""Unreadable jobs that are named; the others are counted."""


class CleanScreen(ActingScreen[None]):
    """Shows a plan; `X` carries out what is ticked, `esc` leaves everything as it is."""

    CSS_PATH = "clean.tcss"

    class Planned(Message):
        """The plan is made; sizes may be missing still."""

        def __init__(self, plan: RemovalPlan) -> None:
            super().__init__()
            self.plan = plan

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

    def __init__(
        self,
        workspace: WorkspacePaths,
        keys: tuple[JobKey, ...],
        *,
        records: Mapping[JobKey, JobRecord] | None = None,
        left_alone: int = 0,
    ) -> None:
        """`records` are all jobs of the workspace, where they were read already.

        `left_alone` jobs are marked, but hidden by the filter: that is said.
        """
        super().__init__()
        self._workspace = workspace
        self._keys = keys
        self._records = records
        self._left_alone = left_alone
        self._plan: RemovalPlan | None = None
        self._ticked: frozenset[JobKey] = frozenset()
        self._shown_at = 0.0
        self._moving = False
        self._trouble: XpmError | None = None

    def compose(self) -> ComposeResult:
        yield Sides(id="title")
        yield Rule(line_style="solid")
        yield PlanTable()
        yield Rule(line_style="solid")
        yield Words(id="details")
        yield StatusBar(id="status")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self._table.focus()
        self._draw()
        if self._left_alone:
            self.query_one(StatusBar).say(look.hidden_words(self._left_alone))
        self.run_worker(self._make_plan, thread=True, exit_on_error=False)

    def _make_plan(self) -> None:
        """In a thread: plan, show, then measure, which reads every folder in the plan."""
        try:
            plan = plan_removal(self._workspace, self._keys, records=self._records)
        except XpmError as error:
            self.post_message(self.NotDone(error))
            return
        self.post_message(self.Planned(plan))
        self.post_message(self.Planned(measure(self._workspace, plan)))

    def _move(self, plan: RemovalPlan) -> None:
        """In a thread; ends in one message."""
        try:
            self.post_message(self.Moved(carry_out(self._workspace, plan)))
        except XpmError as error:
            self.post_message(self.NotDone(error))

    def on_clean_screen_planned(self, message: Planned) -> None:
        message.stop()
        if self._plan is None:
            self._ticked = first_ticks(message.plan)
            self._shown_at = monotonic()
        self._plan = message.plan
        self._table.take(message.plan, row_titles(message.plan))
        self._draw()

    def on_clean_screen_moved(self, message: Moved) -> None:
        message.stop()
        done = message.done
        if done.removals:
            self._app.note_change(done.name)
        self.dismiss()
        words = moved_sentence(done)
        if done.removals:
            words += "; z brings it back"
        self._app.call_later(self._app.tell, words, bad=not done.removals)

    def on_clean_screen_not_done(self, message: NotDone) -> None:
        message.stop()
        self._moving = False
        self._trouble = message.error
        self._draw()

    def on_table_marks_wanted(self, message: Table.MarksWanted) -> None:
        """Tick what can be; say why not where nothing can."""
        message.stop()
        if self._plan is None or self._moving:
            return
        ready = {row.key for row in self._plan.ready}
        self._ticked = frozenset(key for key in ready if key in message.marks)
        row = self._table.row
        if row is not None and row.refused and row.key in message.marks:
            self.say(look.plain(f"this one stays: {row.refused}"), bad=True)
        self._draw()

    def on_table_moved(self, message: Table.Moved) -> None:
        message.stop()
        self._draw()

    def on_key_bar_clicked(self, message: KeyBar.Clicked) -> None:
        message.stop()
        self.choose(message.action.id)

    def situation(self) -> Situation:
        return Situation(
            readonly=self._app.readonly, jobs=len(self._ticked), changes=len(self._app.changes)
        )

    def say(self, message: str, *, bad: bool = False) -> None:
        self.query_one(StatusBar).say(message, bad=bad)

    def do_unmark_all(self) -> None:
        self._ticked = frozenset()
        self._draw()

    def do_carry_out(self) -> None:
        """Move what is ticked: exactly what the screen shows at this moment."""
        plan = self._plan
        if plan is None or self._moving:
            self.say("it is not ready yet")
        elif monotonic() - self._shown_at < GRACE:
            self.say("typed before the plan was shown: look at it, then press X again", bad=True)
        elif not self._ticked:
            self.say("nothing is ticked: space ticks", bad=True)
        else:
            self._moving = True
            self._trouble = None
            self._draw()
            work = partial(self._move, plan.only(self._ticked))
            self.run_worker(work, thread=True, exit_on_error=False)

    def do_back(self) -> None:
        if self._moving:
            self.say("it is being moved; z takes it back afterwards")
        else:
            self.dismiss()

    def do_quit(self) -> None:
        self.do_back()

    def _draw(self) -> None:
        plan = self._plan
        self._table.show_ticks(self._ticked)
        self.query_one("#title", Sides).show(_title(self._moving), self._totals(plan))
        self.query_one("#details", Words).show(*self._details(plan))
        badge = Text("moving…" if self._moving else "checked again before each move", "xpm.faint")
        self.query_one(StatusBar).show_facts(badge)
        self.query_one(KeyBar).show(self.possible())

    def _totals(self, plan: RemovalPlan | None) -> Text:
        if plan is None:
            return Text("planning…")
        chosen = plan.only(self._ticked)
        size = "measuring…" if chosen.size is None else look.size(chosen.size)
        return Text(f"{len(self._ticked):,} of {len(plan.rows):,} ticked · {size}")

    def _details(self, plan: RemovalPlan | None) -> list[Text]:
        lines: list[Text] = []
        if self._trouble is not None:
            parts = (self._trouble.what, self._trouble.where, self._trouble.hint)
            lines = [Text(look.plain(part), "xpm.bad") for part in parts if part]
        row = self._table.row
        if plan is None or row is None:
            return lines or [Text()]
        lines.append(_row_details(row, self._ticked))
        for doubt in plan.doubts[:MOST_DOUBTS]:
            lines.append(Text(look.plain(f"Can't tell whether this needs one: {doubt}"), "xpm.bad"))
        if len(plan.doubts) > MOST_DOUBTS:
            more = look.plural(len(plan.doubts) - MOST_DOUBTS, "more job")
            lines.append(Text(f"and {more} that can't be read", "xpm.bad"))
        moves = look.plural(len(self._ticked), "folder")
        lines.append(Text(f"X moves {moves} to .xpm/trash; z brings back. Frees 0 B until purged."))
        return lines

    @property
    def _app(self) -> XpmApp:
        return cast("XpmApp", self.app)  # pyright: ignore[reportUnknownMemberType]

    @property
    def _table(self) -> PlanTable:
        return self.query_one(PlanTable)


def _title(moving: bool) -> Text:
    if moving:
        return Text("Moving to the trash…", "xpm.title")
    return Text("Clean: nothing moves before you press X", "xpm.title")


def _row_details(row: RemovalRow, ticked: frozenset[JobKey]) -> Text:
    """In full what the columns may have cut."""
    if row.refused:
        return Text(look.plain(f"Stays: {row.refused}."), "xpm.warning")
    words = need_words(row, ticked)
    ended = "" if row.job.ended is None else f"Ended {row.job.ended[:10]}. "
    return Text(look.plain(f"{ended}{'Needed by ' + words if words else 'Nobody needs it'}."))
