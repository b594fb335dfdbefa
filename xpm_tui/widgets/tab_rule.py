"""A rule with the names of tabs in it: ``─[1 Jobs]──2 Causes──3 Waiting──``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget


class TabRule(Widget):
    """One line over the panes; a click on a name asks for its pane."""

    DEFAULT_CSS = "TabRule { height: 1; }"

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, rule: TabRule, index: int) -> None:
            super().__init__()
            self.rule = rule
            self.index = index

        @property
        def control(self) -> TabRule:
            return self.rule

    def __init__(self, titles: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.titles = tuple(titles)
        self.current = 0

    def show(self, current: int) -> None:
        """Draw this tab as the one that is open."""
        if current != self.current:
            self.current = current
            self.refresh()

    def render(self) -> Text:
        line = Text(no_wrap=True, end="")
        for index, (lead, name) in enumerate(self._parts()):
            line.append(lead, "xpm.faint")
            line.append(name, "bold" if index == self.current else "")
        return line.append("─" * max(0, self.size.width - line.cell_len), "xpm.faint")

    def on_click(self, event: events.Click) -> None:
        right = 0
        for index, (lead, name) in enumerate(self._parts()):
            right += len(lead) + len(name)
            if event.x < right:
                self.post_message(self.Chosen(self, index))
                return

    def _parts(self) -> list[tuple[str, str]]:
        """The rule before each name, and the name; brackets take the place of one dash."""
        names = [f"{number} {title}" for number, title in enumerate(self.titles, start=1)]
        parts = [("──", name) for name in names]
        parts[self.current] = ("─", f"[{names[self.current]}]")
        return parts
