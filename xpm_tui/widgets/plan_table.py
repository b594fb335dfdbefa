"""The rows of a plan of removal under their titles: tick, size, cost, why, who needs it."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.message import Message
from textual.strip import Strip

from xpm_engine.verbs.obsolete import Offer
from xpm_engine.verbs.offers import OfferRow, Section
from xpm_tui import look
from xpm_tui.removal import Heading, PlanRow, Removal, cost_words, need_words, row_key
from xpm_tui.widgets.column_fit import fit
from xpm_tui.widgets.table_keys import KeyTable
from xpm_tui.widgets.table_model import Column

ROOMY = 100
"""Cells from which on there is room for a column of who needs a row."""

COUNT_AT = 32
"""Cells after which a title's count stands, where there is room."""

Order = Callable[[OfferRow], tuple[object, ...]]


class PlanTable(KeyTable[PlanRow]):
    """A row an offer, by sections; what is marked here is ticked."""

    mark_sign = " "

    def __init__(self) -> None:
        super().__init__(row_key)
        self.removal: Removal | None = None
        self.ticked: frozenset[Offer] = frozenset()
        self.take_marks: Callable[[frozenset[Hashable]], object] | None = None
        """Called at once with what is to be ticked: `X` right behind a tick must know of it."""
        self._sorted = 0
        self._back = False

    def post_message(self, message: Message) -> bool:
        if self.take_marks is not None and isinstance(message, KeyTable.MarksWanted):
            self.take_marks(message.marks)
            return True
        return super().post_message(message)

    def take(self, removal: Removal) -> None:
        """Show a plan, or the same with more sizes known."""
        first = self.removal is None
        self.removal = removal
        self._arrange()
        if first and removal.rows:
            # Not on the first title: what is ticked first should be a row.
            self.move_to(removal.rows[0].offer)

    def show_ticks(self, ticked: frozenset[Offer]) -> None:
        """Draw these rows as ticked."""
        self.ticked = ticked
        self.show_marks(frozenset[Hashable](ticked))

    @property
    def offer_row(self) -> OfferRow | None:
        """The row under the cursor, unless it is a title."""
        return self.row if isinstance(self.row, OfferRow) else None

    def wanted(self, marks: frozenset[Hashable]) -> frozenset[Offer]:
        """What is to be ticked: a title alone stands for its section; what can't be is left out."""
        removal = self.removal
        if removal is None:
            return frozenset()
        new = marks - self.marks
        title = next(iter(new)) if len(new) == 1 else None
        if isinstance(title, Section):
            rows = (row for row in removal.rows if row.section is title and not row.refused)
            whole = frozenset(row.offer for row in rows)
            return self.ticked - whole if whole <= self.ticked else self.ticked | whole
        return frozenset(offer for offer in removal.ready() if offer in marks)

    def do_mark_all(self) -> None:
        rows = self.shown_keys - frozenset(Section)
        self.post_message(self.MarksWanted(self, self.marks | rows))

    def do_sort(self) -> None:
        """By size, by cost, by name, then as they came; always inside of a section."""
        self._sorted = (self._sorted + 1) % (len(_TITLES) + 1)
        self._arrange()

    def do_sort_reverse(self) -> None:
        self._back = not self._back
        self._arrange()

    def on_resize(self) -> None:
        super().on_resize()
        self._arrange()

    def _arrange(self) -> None:
        if self.removal is None:
            return
        rows = self.removal.sections(self._order(self.removal))
        self.show(rows, columns=self._columns_for(self.size.width))

    def _order(self, removal: Removal) -> Order | None:
        back = self._back

        def by_size(row: OfferRow) -> tuple[object, ...]:
            size = removal.sizes.get(row.offer, -1)
            return (size if back else -size,)

        def by_cost(row: OfferRow) -> tuple[object, ...]:
            cost = removal.offering.cost(row)
            seconds = cost.seconds + cost.unknown
            return (-seconds if back else seconds,)

        def by_name(row: OfferRow) -> tuple[object, ...]:
            return (removal.titles.get(row.offer, "").casefold(),)

        return (None, by_size, by_cost, by_name)[self._sorted]

    def _columns_for(self, width: int) -> tuple[Column[PlanRow], ...]:
        roomy = width >= ROOMY
        titles = [title + (" ↓" if place == self._sorted else "") for place, title in _PLACES]
        size, again, what = titles
        if not roomy and self._sorted != 2:
            again = "again"
        columns = [
            Column[PlanRow]("", self._tick_cell, width=3),
            Column[PlanRow](what, self._what_cell, width=30 if roomy else 25),
            Column[PlanRow](size, self._size_cell, width=8 if roomy else 7, right=True),
            Column[PlanRow](again, self._cost_cell, width=16 if roomy else 7, right=True),
            Column[PlanRow]("why it is offered" if roomy else "why", self._why_cell, width=34),
        ]
        if roomy:
            columns.append(Column[PlanRow]("who needs it", self._need_cell, width=12, grows=True))
        else:
            columns[-1] = Column[PlanRow]("why", self._short_cell, width=20, grows=True)
        return self._same(fit(columns, width))

    def _same(self, columns: tuple[Column[PlanRow], ...]) -> tuple[Column[PlanRow], ...]:
        """The columns there are already, where they look the same: then nothing is laid out."""
        if [(c.title, c.width) for c in columns] == [(c.title, c.width) for c in self.columns]:
            return self.columns
        return columns

    def _row_line(self, row: PlanRow, place: int, width: int, base: Style) -> Strip:
        line = super()._row_line(row, place, width, base)
        if isinstance(row, OfferRow):
            return line
        at_cursor = place == self._cursor
        gutter = Text(look.CURSOR if at_cursor else look.UNFOLDED).append(" ")
        line = self._strip(gutter, _heading(row, width), width, base)
        line = line.extend_cell_length(width, base)
        if not at_cursor:
            return line
        style = self._named("xpm.cursor" if self.has_focus else "xpm.title")
        return Strip(Segment.apply_style(line, post_style=style), line.cell_length)

    def _tick_cell(self, row: PlanRow) -> Text:
        if isinstance(row, Heading):
            return Text()
        if row.refused:
            return Text("[-]", "xpm.faint")
        return Text("[x]", "xpm.marked") if row.offer in self.ticked else Text("[ ]")

    def _what_cell(self, row: PlanRow) -> Text:
        if isinstance(row, Heading) or self.removal is None:
            return Text(row.section.value)
        return Text(self.removal.titles.get(row.offer, ""))

    def _size_cell(self, row: PlanRow) -> Text:
        size = None
        if isinstance(row, OfferRow) and self.removal is not None:
            size = self.removal.sizes.get(row.offer)
        return Text("?" if size is None else look.size(size))

    def _cost_cell(self, row: PlanRow) -> Text:
        if isinstance(row, Heading) or self.removal is None:
            return Text()
        if row.section is Section.CANNOT_TELL:
            return Text("?")
        short = self.size.width < ROOMY
        return Text(cost_words(self.removal.offering.cost(row), short=short))

    def _why_cell(self, row: PlanRow) -> Text:
        return Text() if isinstance(row, Heading) else Text(look.plain(row.why))

    def _need_cell(self, row: PlanRow) -> Text:
        if isinstance(row, Heading):
            return Text()
        if row.refused:
            return Text(look.plain(row.refused), "xpm.warning")
        words = need_words(row, self.ticked)
        return Text(words, "xpm.warning") if words else Text("nobody", "xpm.faint")

    def _short_cell(self, row: PlanRow) -> Text:
        """Where there is one column only: why it stays, who needs it, or why it is offered."""
        if isinstance(row, Heading):
            return Text()
        if row.refused and row.section is not Section.CANNOT_TELL:
            return Text(look.plain(row.refused), "xpm.warning")
        words = need_words(row, self.ticked)
        return Text(f"needed by {words}", "xpm.warning") if words else self._why_cell(row)


_TITLES = ("size", "to compute again", "what")
_PLACES = tuple(enumerate(_TITLES, start=1))


def _heading(row: Heading, width: int) -> Text:
    """``Replaced by a complete run   4 · 2.3 GB``"""
    size = look.size(row.size) if row.measured else f"≥ {look.size(row.size)}"
    line = Text(row.section.value, "xpm.title")
    facts = f"{row.count:,} · {size}"
    at = max(COUNT_AT, len(row.section.value) + 2) if width > COUNT_AT + 20 else 0
    return line.append(" " * max(2, at - len(row.section.value))).append(facts, "xpm.faint")
