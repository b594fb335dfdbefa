"""A plan of removal: the rows, and in full what is to be known of the one under the cursor."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from time import monotonic
from typing import Any

from rich.text import Text
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Rule

from xpm_engine.errors import XpmError
from xpm_engine.verbs.cleaning.folding import Fold
from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_tui import look
from xpm_tui.cleaning.groups import Sum
from xpm_tui.cleaning.plan_story import group_story, part_lines, whole_story
from xpm_tui.cleaning.removal import Heading, Removal, refused_words, row_key
from xpm_tui.screens.dialog import Dialog
from xpm_tui.widgets.cleaning.plan_table import PlanTable
from xpm_tui.widgets.table.table import Table
from xpm_tui.widgets.words import Words

GRACE = 0.3
"""Seconds after a plan was shown in which it can't be carried out: it was not looked at."""

MOST_DOUBTS = 2
"""What can't be read: so many are named, the others are counted."""


class PlanPane(Vertical):
    """Rows to tick, and `X` for who carries out what is ticked."""

    app: App[Any]
    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")

    class Ticked(Message):
        """Something else is ticked, or another row is under the cursor."""

    class Refused(Message):
        """The row under the cursor can't be ticked."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    def __init__(self) -> None:
        super().__init__()
        self.removal: Removal | None = None
        self.ticked: frozenset[Offer] = frozenset()
        self.busy = False
        """Whether it is being carried out, so that nothing can be ticked."""
        self.days = 0
        """Days after which the trash is purged by itself; 0 for never."""
        self._shown_at = 0.0
        self._trouble: XpmError | None = None
        self._sum: tuple[Removal, frozenset[Offer], Sum] | None = None
        """What of which plan took how much, when it was added up last."""

    def compose(self) -> ComposeResult:
        yield PlanTable()
        yield Rule(line_style="solid")
        yield Words(id="details")

    def take(self, removal: Removal, *, ticked: frozenset[Offer] | None = None) -> None:
        """Show a plan; with `ticked` another one, else the same with more known of it."""
        if ticked is not None or self.removal is None:
            self.ticked = ticked or frozenset()
            self._shown_at = monotonic()
        self.removal = removal
        self.ticked &= removal.ready()
        self.table.take(removal)
        self.draw()

    def show_trouble(self, error: XpmError | None) -> None:
        """Say what went wrong as a whole."""
        self._trouble = error
        self.draw()

    def tick(self, offers: frozenset[Offer]) -> None:
        """Tick these, and nothing else."""
        self.ticked = offers
        self.draw()
        self.post_message(self.Ticked())

    @property
    def typed_ahead(self) -> bool:
        """Whether the plan was shown too short a time ago to have been looked at."""
        return monotonic() - self._shown_at < GRACE

    @property
    def table(self) -> PlanTable:
        return self.query_one(PlanTable)

    @property
    def idle(self) -> frozenset[str]:
        """The actions that find nothing to do in this plan."""
        return frozenset() if self.ticked else frozenset(("carry_out", "unmark_all"))

    def do_unmark_all(self) -> None:
        if not self.busy:
            self.tick(frozenset())

    def on_mount(self) -> None:
        self.table.take_marks = self._take_marks

    def _take_marks(self, marks: frozenset[Hashable]) -> None:
        """Tick what can be; say why not where nothing can."""
        if self.removal is None or self.busy:
            return
        row = self.table.row
        refused = "" if row is None or isinstance(row, Heading) else refused_words(row)
        if row is not None and refused and row_key(row) in marks:
            self.post_message(self.Refused(f"this one stays: {refused}"))
        self.tick(self.table.wanted(marks))

    def on_table_opened(self, message: Table.Opened) -> None:
        """All that is to be known of the row."""
        message.stop()
        row = self.table.row
        if row is None or isinstance(row, Heading) or self.removal is None:
            return
        if isinstance(row, Fold):
            story = group_story(row, self.removal)
        else:
            story = whole_story(row, self.removal)
        lines = [Text(look.plain(line)) for line in story]
        self.app.push_screen(Dialog(self.table.title_of(row), lines))

    def on_table_moved(self, message: Table.Moved) -> None:
        message.stop()
        self.draw()
        self.post_message(self.Ticked())

    def draw(self) -> None:
        """Draw the ticks and the words below again."""
        if not self.is_mounted:
            return
        self.table.show_ticks(self.ticked)
        self.query_one("#details", Words).show(*self._details())

    def totals(self) -> Text:
        """``37 of 46 ticked · 1.8 of 8.5 GB``"""
        removal = self.removal
        if removal is None:
            return Text("planning…")
        if self._sum is None or self._sum[0] is not removal or self._sum[1] is not self.ticked:
            self._sum = removal, self.ticked, removal.size_of(self.ticked)
        size, measured = self._sum[2]
        unsure = "" if measured else "≥ "
        whole = look.size(removal.size) if removal.measured else "measuring…"
        words = f"{len(self.ticked):,} of {len(removal.rows):,} ticked"
        return Text(f"{words} · {unsure}{look.size(size)} of {whole}")

    def _details(self) -> list[Text]:
        removal, row = self.removal, self.table.row
        lines: list[Text] = []
        if self._trouble is not None:
            parts = (self._trouble.what, self._trouble.where, self._trouble.hint)
            lines += [Text(look.plain(part), "xpm.bad") for part in parts if part]
        if removal is None:
            return lines or [Text()]
        if row is not None and not isinstance(row, Heading):
            title, cost = self.table.title_of(row), self.table.cost_of(row)
            told = part_lines(row, title, cost, self.ticked)
            lines += [Text(look.plain(line)) for line in told]
        doubts = removal.offering.seen.survey.blockers
        for doubt in doubts[:MOST_DOUBTS]:
            lines.append(Text(look.plain(f"Can't be read, so nobody can tell: {doubt}"), "xpm.bad"))
        if len(doubts) > MOST_DOUBTS:
            lines.append(Text(f"and {len(doubts) - MOST_DOUBTS} more", "xpm.bad"))
        return [*lines, Text(self._moves())]

    def _moves(self) -> str:
        things = look.plural(len(self.ticked), "thing")
        by_itself = f" (in {self.days} days)" if self.days else ""
        return f"X moves {things} to Trash; z brings back. Frees 0 B until purged{by_itself}."
