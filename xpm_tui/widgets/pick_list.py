"""A list to pick one thing from: a line each, with why it can't be picked now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from rich.style import Style
from rich.text import Text
from textual.message import Message
from textual.strip import Strip

from xpm_tui import look
from xpm_tui.widgets.drawing import console_of
from xpm_tui.widgets.table.lines import GAP, GUTTER
from xpm_tui.widgets.table.model import Column
from xpm_tui.widgets.table.table import Table


class PickKind(Enum):
    """What a line of the list is."""

    CHOICE = "choice"
    HEADING = "heading"


@dataclass(frozen=True)
class Pick:
    """A line of the list."""

    name: str
    """What the picking ends with."""
    left: Text
    middle: Text
    right: Text
    why: str = ""
    """Why it can't be picked now."""
    kind: PickKind = PickKind.CHOICE


def heading(words: str) -> Pick:
    """A line that only says what comes below it."""
    return Pick(words, Text(f" {words}", "xpm.title"), Text(), Text(), kind=PickKind.HEADING)


class PickList(Table[Pick]):
    """Choices over the whole width; `up` and `down` pass over headings."""

    class Picked(Message):
        """One was picked, and can be."""

        def __init__(self, pick: Pick) -> None:
            super().__init__()
            self.pick = pick

    class Refused(Message):
        """One was picked that can't be now."""

        def __init__(self, pick: Pick) -> None:
            super().__init__()
            self.pick = pick

    def __init__(self, *, widths: tuple[int, int], id: str | None = None) -> None:  # noqa: A002
        super().__init__(lambda pick: (pick.kind, pick.name), header=False, id=id)
        self._widths = widths

    def offer(self, picks: Sequence[Pick], *, more: bool = False) -> None:
        """Offer these; the cursor is put on the first one that is a choice.

        Where there are only `more` than before it stays where it is.
        """
        before = self.row
        self.show(tuple(picks), columns=self._columns())
        if more and before is not None:
            return
        self.move_to_end(last=False)
        if self.row is not None and self.row.kind is PickKind.HEADING:
            self.step(1)

    def step(self, rows: int) -> None:
        """Move the cursor, on over headings."""
        self.move_by(rows)
        if self.row is not None and self.row.kind is PickKind.HEADING:
            back = rows < 0
            if not self.move_to_next(_is_choice, back=back):
                self.move_to_next(_is_choice, back=not back)

    def pick(self) -> None:
        """Take the one under the cursor."""
        row = self.row
        if row is not None and row.kind is PickKind.CHOICE:
            self.post_message(self.Refused(row) if row.why else self.Picked(row))

    def on_resize(self) -> None:
        self.show(self.model.rows, columns=self._columns())

    def on_table_opened(self, message: Table.Opened) -> None:
        """Clicked twice."""
        message.stop()
        self.pick()

    def _row_line(self, row: Pick, place: int, width: int, base: Style) -> Strip:
        """A heading has no columns."""
        if row.kind is PickKind.CHOICE:
            return super()._row_line(row, place, width, base)
        strip = Strip(row.left.render(console_of(self))).crop_extend(0, width, None)
        return strip.apply_style(base)

    def _columns(self) -> tuple[Column[Pick], ...]:
        left, middle = self._widths
        rest = self.size.width - GUTTER - left - middle - 2 * GAP
        return (
            Column("left", lambda pick: _dimmed(pick, pick.left), width=left),
            Column("middle", lambda pick: _dimmed(pick, pick.middle), width=middle),
            Column("right", _right_cell, width=max(1, rest)),
        )


def _is_choice(pick: Pick) -> bool:
    return pick.kind is PickKind.CHOICE


def _dimmed(pick: Pick, text: Text) -> Text:
    return Text(text.plain, "xpm.faint") if pick.why else text


def _right_cell(pick: Pick) -> Text:
    """Why not comes first: it is what must not be cut."""
    return (
        Text(look.plain(f"({pick.why}) {pick.right.plain}"), "xpm.faint")
        if pick.why
        else pick.right
    )
