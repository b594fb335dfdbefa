"""Which columns a table has: space ticks, enter takes, esc leaves them as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from xpm_tui.look import plain
from xpm_tui.look.compositor import compose_sparingly
from xpm_tui.widgets.table.keys import KeyTable
from xpm_tui.widgets.table.model import Column

KEYS = "space tick  enter take them  esc as before"


@dataclass(frozen=True)
class Offer:
    """A column that can be shown."""

    title: str
    shown: bool


class ColumnsScreen(ModalScreen["frozenset[str] | None"]):
    """Ends with the titles of the columns to be shown; None leaves everything as it was."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,q", "leave", show=False),
        Binding("enter", "take", show=False),
        Binding("space", "tick", show=False),
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
    ]

    def __init__(self, offers: Sequence[Offer]) -> None:
        super().__init__()
        compose_sparingly(self)
        self._offers = tuple(offers)
        self._shown = {offer.title for offer in offers if offer.shown}
        tick = Column[Offer]("", self._tick_cell, width=3)
        title = Column[Offer]("", lambda offer: Text(plain(offer.title)), width=40)
        self.table: KeyTable[Offer] = KeyTable(
            lambda offer: offer.title, columns=(tick, title), header=False
        )

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Text("Columns of the table", "bold"))
            yield self.table
            yield Static(Text(KEYS, "xpm.faint"))

    def on_mount(self) -> None:
        self.table.show(self._offers)
        self.table.focus()

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_take(self) -> None:
        self.dismiss(frozenset(self._shown))

    def action_move(self, rows: int) -> None:
        self.table.move_by(rows)

    def action_tick(self) -> None:
        if self.table.row is not None:
            self._shown ^= {self.table.row.title}
            self.table.move_by(1)
            self.table.repaint()

    def _tick_cell(self, offer: Offer) -> Text:
        return Text("[x]" if offer.title in self._shown else "[ ]", "xpm.key")
