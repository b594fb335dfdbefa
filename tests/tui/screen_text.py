"""What stands on the screen, as lines of text."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.widget import Widget


def screen_lines(app: App[Any]) -> list[str]:
    """The lines of the whole screen, blanks at their ends left out."""
    size = app.screen.size
    strips = app.screen._compositor.render_strips(size)
    return [strip.text.rstrip() for strip in strips]


def widget_lines(widget: Widget) -> list[str]:
    """The lines that a line-API widget draws, blanks at their ends left out."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]
