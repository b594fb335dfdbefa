"""The line in which is typed what to find: lists narrow while it is typed, texts jump."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class FindInput(Input):
    """The field; escape empties and leaves it, enter leaves it as it is."""

    BINDINGS = [Binding("escape", "give_up", "back", show=False)]  # noqa: RUF012 (Textual's form)

    typing_keys = (("enter", "keep"), ("esc", "give up"))
    """What the key bar says while this is typed into."""

    class GivenUp(Message):
        """Nothing is to be found after all."""

    def action_give_up(self) -> None:
        self.post_message(self.GivenUp())


class FindLine(Horizontal):
    """Hidden until it is opened; posts what is to be found whenever it changes."""

    DEFAULT_CSS = """
    FindLine { height: 1; display: none; }
    FindLine Static { width: 2; padding-left: 1; }
    FindLine FindInput { width: 1fr; border: none; height: 1; padding: 0; }
    FindLine.open { display: block; }
    """

    class Changed(Message):
        """This is to be found now; nothing if it is empty."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Closed(Message):
        """The focus goes back to what is searched."""

    def compose(self) -> ComposeResult:
        yield Static("/", markup=False)
        yield FindInput(compact=True)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.query_one(FindInput).value

    def open(self) -> None:
        """Show the field and focus it at once: what was typed ahead belongs into it."""
        self.add_class("open")
        self.screen.set_focus(self.query_one(FindInput))

    def clear(self) -> None:
        """Find nothing, and hide."""
        self.remove_class("open")
        self.query_one(FindInput).value = ""

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value:
            self.remove_class("open")
        self.post_message(self.Closed())

    def on_find_input_given_up(self, event: FindInput.GivenUp) -> None:
        event.stop()
        self.clear()
        self.post_message(self.Closed())
