"""A line with something at its left and something at its right."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from xpm_tui.look import cut


class Sides(Widget):
    """One line; where both do not fit, the left is cut, and only then the right."""

    DEFAULT_CSS = "Sides { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._left = Text()
        self._right = Text()

    def show(self, left: Text, right: Text) -> None:
        """Show these; what is the same is not drawn again."""
        if (left, left.spans, right, right.spans) != (
            self._left,
            self._left.spans,
            self._right,
            self._right.spans,
        ):
            self._left, self._right = left, right
            self.refresh()

    def render(self) -> Text:
        return sides(self._left, self._right, self.size.width)


def sides(left: Text, right: Text, width: int) -> Text:
    """The line, exactly `width` cells, with one cell free at both ends."""
    room = max(0, width - 2)
    right = cut(right, min(room, right.cell_len))
    gap = 1 if right.cell_len and left.cell_len else 0
    line = Text(" ", no_wrap=True, end="")
    line.append_text(cut(left, max(0, room - right.cell_len - gap))).append(" " * gap)
    return line.append_text(right).append(" ")
