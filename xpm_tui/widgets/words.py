"""A few lines of text that are laid out again only when there are more or fewer of them."""

from __future__ import annotations

from rich.text import Text
from textual.geometry import Size
from textual.widget import Widget


class Words(Widget):
    """Text without a cursor, as high as it has lines; what is too long is cut; takes no markup."""

    DEFAULT_CSS = "Words { height: auto; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._said: tuple[Text, ...] = ()
        self.display = False

    def show(self, *lines: Text) -> None:
        """Show these lines; with none it takes no room."""
        if lines == self._said:
            return
        as_high = len(lines) == len(self._said)
        self._said = lines
        self.display = bool(lines)
        self.refresh(layout=not as_high)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return max((line.cell_len for line in self._said), default=0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._said)

    def render(self) -> Text:
        """Cut here, in the text's own colour: Textual's ellipsis is white in every theme."""
        lines = [line.copy() for line in self._said]
        for line in lines:
            line.truncate(self.content_size.width, overflow="ellipsis")
        return Text("\n", no_wrap=True, end="").join(lines)
