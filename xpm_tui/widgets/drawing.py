"""What line-API widgets draw with."""

from __future__ import annotations

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from xpm_tui.look import cut


def console_of(widget: Widget) -> Console:
    """The console of the app: it knows the names of styles."""
    return widget.app.console  # pyright: ignore[reportUnknownMemberType] (whichever App it is)


def segments(text: Text, console: Console) -> list[Segment]:
    """What a line of text is drawn with."""
    if text.spans:
        return list(text.render(console))
    return [Segment(text.plain, _style(text, console))] if text.plain else []


def cell(text: Text, width: int, console: Console, *, right: bool = False) -> list[Segment]:
    """The same, exactly `width` cells wide: padded, or cut with an ellipsis."""
    plain = text.plain
    if text.spans or not plain.isascii():
        return segments(cut(text, width, right=right), console)
    if len(plain) > width:
        plain = plain[: max(0, width - 1)] + "…" * min(1, width)
    else:
        plain = plain.rjust(width) if right else plain.ljust(width)
    return [Segment(plain, _style(text, console))] if plain else []


def _style(text: Text, console: Console) -> Style:
    return console.get_style(text.style, default=Style.null())
