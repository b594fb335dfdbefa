"""A few lines of text that are laid out again only when they say something else."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class Words(Static):
    """Text without a cursor, as high as it has lines; what is too long is cut; takes no markup."""

    DEFAULT_CSS = "Words { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._said: tuple[Text, ...] = ()
        self.display = False

    def show(self, *lines: Text) -> None:
        """Show these lines; with none it takes no room."""
        if lines == self._said:
            return
        self._said = lines
        self.display = bool(lines)
        self.update(Text("\n").join(lines))
