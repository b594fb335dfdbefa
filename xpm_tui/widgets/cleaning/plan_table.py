"""The rows of a plan of removal under their titles: tick, size, cost, why, who needs it.

Rows that are alike stand in one, which `l` unfolds; so do titles, which `h` folds.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.message import Message
from textual.strip import Strip

from xpm_engine.verbs.cleaning.folding import Fold, FoldKey, FoldPart
from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.verbs.cleaning.offers import OfferRow, Section
from xpm_engine.workspace.recompute import Cost
from xpm_tui import look
from xpm_tui.cleaning.fold_titles import fold_title
from xpm_tui.cleaning.removal import (
    Heading,
    Order,
    PlanKey,
    PlanRow,
    Removal,
    cost_words,
    is_needed,
    need_words,
    refused_words,
    row_key,
    rows_of,
)
from xpm_tui.widgets.table.column_fit import fit
from xpm_tui.widgets.table.keys import KeyTable
from xpm_tui.widgets.table.model import Column

ROOMY = 118
"""Cells from which on there is room for a column of who needs a row."""

COUNT_AT = 32
"""Cells after which a title's count stands, where there is room."""

INDENT = 2
"""Cells by which what is in a group stands to the right of it."""


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
        self._inside: dict[PlanKey, FoldKey | None] = {}
        """The group that each row is in."""
        self._turned: set[PlanKey] = set()
        """The groups that were unfolded, and the sections that were folded."""
        self._titles: dict[tuple[FoldKey, int], str] = {}
        self._width = 0
        """Cells that it was laid out for."""
        self._counts: dict[FoldKey, int] = {}
        """How many of each group are ticked."""
        self._wanted: Callable[[PlanRow], bool] | None = None
        """What is looked for, if anything is."""

    def post_message(self, message: Message) -> bool:
        if self.take_marks is not None and isinstance(message, KeyTable.MarksWanted):
            self.take_marks(message.marks)
            return True
        return super().post_message(message)

    def take(self, removal: Removal) -> None:
        """Show a plan, or the same with more sizes known."""
        first = self.removal is None
        if self.removal is None or self.removal.offering is not removal.offering:
            self._titles = {}
            self._counts = {}
        self.removal = removal
        self._arrange()
        if first and removal.rows:
            # Not on the first title: what is ticked first should be a row.
            self.move_to(row_key(self.model.shown[1]))

    def show_ticks(self, ticked: frozenset[Offer]) -> None:
        """Draw these rows as ticked."""
        if ticked is not self.ticked:
            self.ticked = ticked
            self._counts = {}
        whole = (
            row.key
            for row in self.model.shown
            if isinstance(row, Fold)
            and self.is_folded(row.key)
            and (row.key.refused or self._ticked_of(row) == len(row.offers))
        )
        self.show_marks(frozenset[Hashable](ticked) | frozenset(whole))

    def is_folded(self, key: PlanKey) -> bool:
        """Whether what is in a group or a section is not shown; groups are so at first."""
        return (key in self._turned) is (not isinstance(key, FoldKey))

    def title_of(self, row: PlanRow, width: int = 10_000) -> str:
        """What a row is called, in so many cells if it is a group."""
        if self.removal is None or isinstance(row, Heading):
            return row.section.value if isinstance(row, Heading) else ""
        if isinstance(row, Fold):
            if (row.key, width) not in self._titles:
                self._titles[row.key, width] = fold_title(row, self.removal, width)
            return self._titles[row.key, width]
        return self.removal.titles.get(row.offer, "")

    def cost_of(self, row: PlanRow) -> Cost:
        """What it takes to compute a row again, or all rows of a group together."""
        if self.removal is None or isinstance(row, Heading):
            return Cost()
        return self.removal.cost_of_part(row)

    def wanted(self, marks: frozenset[Hashable]) -> frozenset[Offer]:
        """What is to be ticked: a title or a group alone stands for what is in it.

        What can't be ticked is left out.
        """
        removal = self.removal
        if removal is None:
            return frozenset()
        new, gone = marks - self.marks, self.marks - marks
        only = next(iter(new | gone)) if len(new | gone) == 1 else None
        if isinstance(only, (Section, FoldKey)):
            whole = self._tickable_of(only)
            return self.ticked - whole if whole <= self.ticked else self.ticked | whole
        folds = {row.key: row for row in self.model.shown if isinstance(row, Fold)}
        changed: list[frozenset[Offer]] = []
        for keys in (new, gone):
            offers: set[Offer] = set(removal.ready() & keys)
            for key in keys:
                if isinstance(key, FoldKey) and key in folds:
                    offers |= self._tickable(folds[key])
            changed.append(frozenset(offers))
        return (self.ticked | changed[0]) - changed[1]

    def _tickable(self, fold: Fold) -> frozenset[Offer]:
        """What can be ticked of a group: all of it or nothing, as why it can't is the same."""
        return frozenset() if fold.key.refused else fold.offers

    def _tickable_of(self, key: Section | FoldKey) -> frozenset[Offer]:
        """What can be ticked of a section or a group that is shown."""
        if isinstance(key, FoldKey):
            row = next((row for row in self.model.shown if row_key(row) == key), None)
            return self._tickable(row) if isinstance(row, Fold) else frozenset()
        rows = () if self.removal is None else self.removal.rows
        return frozenset(row.offer for row in rows if row.section is key and not row.refused)

    def do_mark_all(self) -> None:
        rows = self.shown_keys - frozenset(Section)
        self.post_message(self.MarksWanted(self, self.marks | rows))

    def do_deeper(self) -> None:
        """Unfold; sideways where there is nothing to unfold."""
        row = self.row
        if isinstance(row, (Fold, Heading)) and self.is_folded(row_key(row)):
            self._turn(row_key(row))
        else:
            super().do_deeper()

    def do_shallower(self) -> None:
        """Fold, or go to the group that this is in; sideways where there is none."""
        row = self.row
        if row is None or self.scroll_offset.x:
            super().do_shallower()
        elif isinstance(row, (Fold, Heading)) and not self.is_folded(row_key(row)):
            self._turn(row_key(row))
        else:
            self.move_to(self._inside.get(row_key(row)) or _section(row))

    def narrow(self, wanted: Callable[[PlanRow], bool] | None) -> None:
        """Show the rows that are wanted, one by one: what is looked for is not in a group."""
        self._wanted = wanted
        self._arrange()

    def holds(self, text: str) -> Callable[[PlanRow], bool] | None:
        """A test whether a row has every word of `text` in its name, its reason or who needs it."""
        found = None if self.removal is None else self.removal.finder(text)
        if found is None:
            return None
        return lambda row: isinstance(row, OfferRow) and found(row)

    def _range_keys(self) -> frozenset[Hashable]:
        """Titles stand for nothing in a range, nor groups whose rows are shown below them."""
        keys = super()._range_keys()
        if self._range_from is None:
            return keys
        return frozenset(
            key
            for key in keys
            if not isinstance(key, Section)
            and not (isinstance(key, FoldKey) and not self.is_folded(key))
        )

    def _turn(self, key: PlanKey) -> None:
        self._turned ^= {key}
        self._arrange()
        self.show_ticks(self.ticked)

    @property
    def sortable(self) -> bool:
        """By what its rows know; its columns are not asked."""
        return True

    def do_sort(self) -> None:
        """By size, by cost, by name, then as they came; always inside of a section."""
        self._sorted = (self._sorted + 1) % (len(_TITLES) + 1)
        self._arrange()

    def do_sort_reverse(self) -> None:
        self._back = not self._back
        self._arrange()

    def on_resize(self) -> None:
        super().on_resize()
        if self.size.width != self._width:
            self._arrange()

    def _arrange(self) -> None:
        if self.removal is None:
            return
        self._width = self.size.width
        order = self._order(self.removal)
        if self._wanted is None:
            rows = self.removal.listed(order, folded=self.is_folded)
        else:
            rows = [(row, None) for row in self.removal.found(order, self._wanted)]
        self._inside = {row_key(row): inside for row, inside in rows if inside is not None}
        self.show([row for row, _ in rows], columns=self._columns_for(self.size.width))

    def _order(self, removal: Removal) -> Order | None:
        back = self._back

        def by_size(part: FoldPart) -> tuple[object, ...]:
            size, _ = removal.size_of_part(part)
            return (size if back else -size,)

        def by_cost(part: FoldPart) -> tuple[object, ...]:
            cost = self.cost_of(part)
            seconds = cost.seconds + cost.unknown
            return (-seconds if back else seconds,)

        def by_name(part: FoldPart) -> tuple[object, ...]:
            return (self.title_of(part).casefold(),)

        return (None, by_size, by_cost, by_name)[self._sorted]

    def _columns_for(self, width: int) -> tuple[Column[PlanRow], ...]:
        roomy = width >= ROOMY
        titles = [title + (" ↓" if place == self._sorted else "") for place, title in _PLACES]
        size, again, what = titles
        if not roomy and self._sorted != 2:
            again = "again"
        columns = [
            Column[PlanRow]("", self._tick_cell, width=3),
            Column[PlanRow](
                what, self._what_cell, width=32 if roomy else 25 + max(0, width - 80) // 2
            ),
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
        if not isinstance(row, Heading):
            return line
        at_cursor = place == self._cursor
        sign = look.FOLDED if self.is_folded(row.section) else look.UNFOLDED
        gutter = Text(look.CURSOR if at_cursor else sign).append(" ")
        line = self._strip(gutter, _heading(row, width), width, base)
        line = line.extend_cell_length(width, base)
        if not at_cursor:
            return line
        style = self._named("xpm.cursor" if self.has_focus else "xpm.title")
        return Strip(Segment.apply_style(line, post_style=style), line.cell_length)

    def _tick_cell(self, row: PlanRow) -> Text:
        if isinstance(row, Heading):
            return Text()
        if refused_words(row):
            return Text("[-]", "xpm.faint")
        ticked = self._ticked_of(row)
        if isinstance(row, Fold) and 0 < ticked < len(row.offers):
            return Text("[~]", "xpm.marked")
        return Text("[x]", "xpm.marked") if ticked else Text("[ ]")

    def _ticked_of(self, part: FoldPart) -> int:
        """How many of a row or a group are ticked; counted once, until others are."""
        if not isinstance(part, Fold):
            return part.offer in self.ticked
        if part.key not in self._counts:
            self._counts[part.key] = len(part.offers & self.ticked)
        return self._counts[part.key]

    def _what_cell(self, row: PlanRow) -> Text:
        depth, inside = 0, self._inside.get(row_key(row))
        while inside is not None:
            depth, inside = depth + 1, self._inside.get(inside)
        lead = " " * (INDENT * depth)
        if isinstance(row, Fold):
            lead += (look.FOLDED if self.is_folded(row.key) else look.UNFOLDED) + " "
        width = next((column.width for column in self.columns[1:]), 0) - len(lead)
        return Text(lead + self.title_of(row, width))

    def _size_cell(self, row: PlanRow) -> Text:
        if self.removal is None or isinstance(row, Heading):
            return Text()
        size, measured = self.removal.size_of_part(row)
        if not measured and not size:
            return Text("?")
        return Text(look.size(size) if measured else f"≥{look.size(size)}")

    def _cost_cell(self, row: PlanRow) -> Text:
        if isinstance(row, Heading) or self.removal is None:
            return Text()
        if _section(row) is Section.CANNOT_TELL:
            return Text("?")
        return Text(cost_words(self.cost_of(row), short=self.size.width < ROOMY))

    def _why_cell(self, row: PlanRow) -> Text:
        return Text() if isinstance(row, Heading) else Text(look.plain(row.why))

    def _need_cell(self, row: PlanRow) -> Text:
        if isinstance(row, Heading):
            return Text()
        refused, words = self._stays(row)
        if refused:
            return Text(refused, "xpm.warning")
        return Text(words, "xpm.warning") if words else Text("nobody", "xpm.faint")

    def _short_cell(self, row: PlanRow) -> Text:
        """Where there is one column only: why it stays, who needs it, or why it is offered."""
        if isinstance(row, Heading):
            return Text()
        refused, words = self._stays(row)
        if refused and _section(row) is not Section.CANNOT_TELL:
            return Text(refused, "xpm.warning")
        return Text(f"needed by {words}", "xpm.warning") if words else self._why_cell(row)

    def _stays(self, row: FoldPart) -> tuple[str, str]:
        """Why it can't be ticked, and who needs it."""
        refused = refused_words(row)
        if refused:
            return look.plain(refused), ""
        return "", need_words(rows_of(row), self.ticked) if is_needed(row) else ""


def _section(row: PlanRow) -> Section:
    return row.key.section if isinstance(row, Fold) else row.section


_TITLES = ("size", "to compute again", "what")
_PLACES = tuple(enumerate(_TITLES, start=1))


def _heading(row: Heading, width: int) -> Text:
    """``Replaced by a complete run   4 · 2.3 GB``"""
    size = look.size(row.size) if row.measured else f"≥ {look.size(row.size)}"
    line = Text(row.section.value, "xpm.title")
    facts = f"{row.count:,} · {size}"
    at = max(COUNT_AT, len(row.section.value) + 2) if width > COUNT_AT + 20 else 0
    return line.append(" " * max(2, at - len(row.section.value))).append(facts, "xpm.faint")
