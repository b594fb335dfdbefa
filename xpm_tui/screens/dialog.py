"""A question before something is changed: says what it captured, and Cancel is focused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

GRACE = 0.3
"""Seconds in which keys do nothing: they were typed ahead, over a slow line, for another screen."""


class Dialog(ModalScreen[bool]):
    """Ask for a confirmation; ends with True only if the button that says so was pressed.

    There are no letter keys: tab chooses, enter presses, esc cancels. Until `GRACE` is over the
    buttons are disabled, so that no key reaches them.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "cancel", "Cancel", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[Text], *, confirm: str) -> None:
        super().__init__()
        self._title = title
        self._lines = lines
        self._confirm = confirm

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Text(self._title, "bold"), id="title")
            yield Static(Text("\n").join(self._lines), id="lines")
            with Horizontal(id="buttons", disabled=True):
                yield Button(Content("Cancel"), id="cancel")
                yield Button(Content(self._confirm), id="confirm", variant="warning")

    def on_mount(self) -> None:
        self.set_timer(GRACE, self._arm)

    def _arm(self) -> None:
        self.query_one("#buttons").disabled = False
        self.query_one("#cancel").focus()

    def action_cancel(self) -> None:
        if not self.query_one("#buttons").disabled:
            self.dismiss(False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "confirm")
