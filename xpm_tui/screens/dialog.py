"""A question before something is changed: says what it captured, and Cancel is focused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from xpm_tui.look.compositor import compose_sparingly

GRACE = 0.3
"""Seconds in which keys do nothing: they were typed ahead, over a slow line, for another screen."""

CANCELLED = 0
"""What a dialog ends with where no button but Cancel was pressed."""


class Dialog(ModalScreen[int]):
    """Ask for a confirmation; ends with the number of the button, from 1, or with `CANCELLED`.

    There are no letter keys: tab chooses, enter presses, esc cancels; what does not fit is
    scrolled. Until `GRACE` is over the buttons are disabled, so that no key reaches them.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "cancel", "Cancel", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-8)", show=False),
        Binding("pagedown", "scroll(8)", show=False),
    ]

    def __init__(self, title: str, lines: Sequence[Text], *choices: str) -> None:
        """`choices` are the buttons besides Cancel; without any there is only one, to close it."""
        super().__init__()
        compose_sparingly(self)
        self._title = title
        self._lines = lines
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Text(self._title, "bold"), id="title")
            with VerticalScroll(id="scroll", can_focus=False):
                yield Static(Text("\n").join(self._lines), id="lines")
            with Horizontal(id="buttons", disabled=True):
                yield Button(Content("Cancel" if self._choices else "Close"), id="cancel")
                for number, choice in enumerate(self._choices, 1):
                    yield Button(Content(choice), id=f"choice-{number}", variant="warning")

    def on_mount(self) -> None:
        self.set_timer(GRACE, self._arm)

    def _arm(self) -> None:
        self.query_one("#buttons").disabled = False
        self.query_one("#cancel").focus()

    def action_cancel(self) -> None:
        if not self.query_one("#buttons").disabled:
            self.dismiss(CANCELLED)

    def action_scroll(self, lines: int) -> None:
        self.query_one("#scroll").scroll_relative(y=lines, animate=False)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        name = event.button.id or ""
        self.dismiss(int(name.rpartition("-")[2]) if name.startswith("choice-") else CANCELLED)
