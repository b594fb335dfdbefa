"""The last row: the keys that work here, as many as fit, always ending in ``?``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from xpm_tui.actions import BY_ID, Action

GAP = 2


class KeyBar(Widget):
    """Keys and what they do; a click does it."""

    DEFAULT_CSS = "KeyBar { height: 1; width: 1fr; }"

    class Clicked(Message):
        """An action is to be carried out."""

        def __init__(self, action: Action) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (Textual's name)
        super().__init__(id=id)
        self._actions: tuple[Action, ...] = ()
        self._log = False

    def show(self, actions: Sequence[Action], *, log: bool = False) -> None:
        """Show those of these actions that matter most; in a log, others do."""
        found = tuple(actions)
        if (found, log) != (self._actions, self._log):
            self._actions, self._log = found, log
            self.refresh()

    def render(self) -> Text:
        line = Text(" ", no_wrap=True, end="")
        for number, action in enumerate(self._shown()):
            line.append(" " * GAP if number else "").append_text(self._words(action))
        return line

    def on_click(self, event: events.Click) -> None:
        right = 1
        for action in self._shown():
            right += self._words(action).cell_len + GAP
            if event.x < right:
                self.post_message(self.Clicked(action))
                return

    def _shown(self) -> list[Action]:
        last = BY_ID["help"]
        room = self.size.width - 1 - self._words(last).cell_len
        shown: list[Action] = []
        for action in sorted(self._actions, key=lambda action: -action.bar(log=self._log).weight):
            needed = self._words(action).cell_len + GAP
            if action.bar(log=self._log).weight and needed <= room:
                room -= needed
                shown.append(action)
        return [*shown, last]

    def _words(self, action: Action) -> Text:
        bar = action.bar(log=self._log)
        return Text.assemble((bar.shown, "xpm.key"), " ", bar.title)
