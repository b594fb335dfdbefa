"""One line of text: drawn without what Textual does for text of many lines."""

from __future__ import annotations

from abc import abstractmethod

from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from xpm_tui.widgets.drawing import console_of, segments


class TextLine(Widget):
    """A line without border or padding.

    Textual's own way costs four times as much, which counts where the line changes with every line
    of a log.
    """

    @abstractmethod
    def render(self) -> Text:
        """The line, not wider than the widget."""

    def render_lines(self, crop: Region) -> list[Strip]:
        style, width = self.rich_style, self.size.width
        line = Strip(segments(self.render(), console_of(self))).apply_style(style)
        line = line.crop_extend(0, width, style)
        blank = Strip.blank(width, style)
        filters, background = self.get_line_filters(), self.background_colors[1]
        strips: list[Strip] = []
        for y in crop.line_range:
            strip = blank if y else line
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            strips.append(strip.crop_extend(crop.x, crop.right, style))
        return strips
