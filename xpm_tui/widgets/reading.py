"""What a widget shows after reading files: read in a thread, drawn when it has come."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import Any, Generic, TypeVar

from textual.message import Message
from textual.widget import Widget

from xpm_tui.widgets.apart import run_apart

About = TypeVar("About")
Facts = TypeVar("Facts")


class ReadingWidget(Widget, Generic[About, Facts]):
    """A widget about something, whose facts are on the disk.

    `read` runs in a thread and touches nothing of the widget; it ends in one message. What comes
    back after the widget was told to show something else is dropped.
    """

    class Read(Message):
        """The facts have come."""

        def __init__(self, number: int, facts: Any) -> None:
            super().__init__()
            self.number = number
            self.facts = facts

    about: About | None = None
    facts: Facts | None = None
    _number = 0
    _reading = False
    _again = False

    def show(self, about: About) -> None:
        """Show something, or what it has become."""
        same = self.about is not None and self.same(self.about, about)
        if not same:
            self.facts = None
            self._number += 1
            self._reading = False
        self.about = about
        self.draw(about, self.facts)
        self.reread()

    def reread(self) -> None:
        """Read the disk again, after what is being read now."""
        if self.about is None or not self.is_mounted:
            return
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._again = False
        work = partial(self._read, self._number, self.about)
        run_apart(self, work, group="read", failed=self._not_read)

    def on_mount(self) -> None:
        self.reread()

    def same(self, before: About, now: About) -> bool:
        """Whether the facts about the one hold for the other until new ones have come."""
        return before == now

    @abstractmethod
    def read(self, about: About) -> Facts:
        """Read the disk; in a thread. Does not raise for anything that a disk can do."""

    @abstractmethod
    def draw(self, about: About, facts: Facts | None) -> None:
        """Show the facts; None while they are still being read."""

    def _read(self, number: int, about: About) -> None:
        self.post_message(self.Read(number, self.read(about)))

    def _not_read(self) -> None:
        """What is shown stays; the next change of what it is about reads again."""
        self._reading = False

    def on_reading_widget_read(self, message: Read) -> None:
        message.stop()
        if message.number != self._number:
            return
        self._reading = False
        if message.facts != self.facts and self.about is not None:
            self.facts = message.facts
            self.draw(self.about, self.facts)
        if self._again:
            self.reread()
