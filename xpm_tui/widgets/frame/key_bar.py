"""The last row: the keys that work here, as many as fit, always ending in ``?``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from xpm_tui.actions.action import Action, Stage
from xpm_tui.actions.table import BY_ID

GAP = 2

Typing = tuple[tuple[str, str], ...]
"""The keys of a field that is typed into, and what they do."""


def typing_keys(focused: Widget | None) -> Typing:
    """Those of the field that has the focus; none of anything else."""
    keys: Typing = getattr(focused, "typing_keys", ())
    return keys


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
        self._stage = Stage.LISTS
        self._typing: Typing = ()

    def show(self, actions: Sequence[Action], *, stage: Stage = Stage.LISTS) -> None:
        """Show those of these actions that matter most where the keys are about this."""
        self._take(tuple(actions), stage, ())

    def show_typing(self, keys: Typing) -> None:
        """Show the keys of a field that is typed into: to it all others are text."""
        self._take((), Stage.LISTS, keys)

    def _take(self, actions: tuple[Action, ...], stage: Stage, typing: Typing) -> None:
        if (actions, stage, typing) != (self._actions, self._stage, self._typing):
            self._actions, self._stage, self._typing = actions, stage, typing
            self.refresh()

    def render(self) -> Text:
        line = Text(" ", no_wrap=True, end="")
        if self._typing:
            words = [Text.assemble((key, "xpm.key"), " ", what) for key, what in self._typing]
            return line.append_text(Text(" " * GAP).join(words))
        for number, action in enumerate(self._shown()):
            line.append(" " * GAP if number else "").append_text(self._words(action))
        return line

    def on_click(self, event: events.Click) -> None:
        if self._typing:
            return
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
        for action in sorted(self._actions, key=lambda action: -action.bar(self._stage).weight):
            needed = self._words(action).cell_len + GAP
            if action.bar(self._stage).weight and needed <= room:
                room -= needed
                shown.append(action)
        return [*shown, last]

    def _words(self, action: Action) -> Text:
        bar = action.bar(self._stage)
        return Text.assemble((bar.shown, "xpm.key"), " ", bar.title)
