"""A question that is answered by typing: a word before something is deleted, or a size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from xpm_tui.look.compositor import compose_sparingly
from xpm_tui.screens.dialog import GRACE


class TypedDialog(ModalScreen[str | None]):
    """Ask for a text; ends with it once `refused` finds nothing wrong, or with None.

    Until `GRACE` is over nothing that is typed gets into the field.
    """

    CSS_PATH = "typed.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", show=False)]

    def __init__(self, title: str, lines: Sequence[Text], *, refused: Callable[[str], str]) -> None:
        """`refused` says why a text is not taken; empty if it is."""
        super().__init__()
        compose_sparingly(self)
        self._title = title
        self._lines = lines
        self._refused = refused

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Text(self._title, "bold"), id="title")
            yield Static(Text("\n").join(self._lines), id="lines")
            yield Input(compact=True, disabled=True)
            yield Static(Text("enter goes on   esc cancels", "xpm.faint"), id="words")

    def on_mount(self) -> None:
        self.set_timer(GRACE, self._arm)

    def _arm(self) -> None:
        field = self.query_one(Input)
        field.disabled = False
        field.focus()

    def action_cancel(self) -> None:
        if not self.query_one(Input).disabled:
            self.dismiss(None)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        why = self._refused(text)
        if why:
            self.query_one("#words", Static).update(Text(why, "xpm.bad"))
        else:
            self.dismiss(text)
