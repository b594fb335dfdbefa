"""What line-API widgets draw with."""

from __future__ import annotations

from rich.console import Console
from textual.widget import Widget


def console_of(widget: Widget) -> Console:
    """The console of the app: it knows the names of styles."""
    return widget.app.console  # pyright: ignore[reportUnknownMemberType] (whichever App it is)
