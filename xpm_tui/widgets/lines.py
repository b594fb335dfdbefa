"""Lines of text that wrap, scroll and are searched; made as a whole, drawn where they changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from xpm_tui.widgets.drawing import console_of

MARGIN = 1
"""Cells left free on both sides."""


@dataclass(frozen=True)
class Line:
    """One line; what does not fit goes on below, `indent` cells from the left."""

    text: Text
    indent: int = 0
    """Cells, and characters, that stand on the first of its lines only: a label."""


READING = (Line(Text("reading…", "xpm.faint")),)
"""What stands there until the disk has answered."""


class Lines(ScrollView, can_focus=True, inherit_bindings=False):
    """A text to read: no cursor, it scrolls."""

    DEFAULT_CSS = "Lines { scrollbar-size: 0 0; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[Line] = ()
        self._folded: list[Text] = []
        self._width = 0
        self._wanted = ""
        self._hit = -1

    def show(self, lines: Sequence[Line], *, from_top: bool = False) -> None:
        """Show these lines; what is the same on the screen is not drawn again."""
        if from_top:
            self.scroll_to(y=0, animate=False, force=True, immediate=True)
        if lines == self._lines:
            return
        self._lines = lines
        self._fold()

    def find(self, text: str) -> int:
        """Highlight every line that holds `text`, without regard to case; returns their number.

        The first one from the top of the screen on is scrolled to. An empty text ends it.
        """
        self._wanted = text.casefold()
        self._hit = self.scroll_offset.y - 1
        self.refresh()
        hits = sum(self._holds(line) for line in self._folded)
        if hits:
            self.find_next()
        return hits

    def find_next(self, *, back: bool = False) -> bool:
        """Go to the next line that is highlighted, round the end; False if there is none."""
        count = len(self._folded)
        step = -1 if back else 1
        for away in range(1, count + 1):
            place = (self._hit + step * away) % count
            if self._holds(self._folded[place]):
                self._hit = place
                self.scroll_to(
                    y=max(0, place - self.size.height // 3),
                    animate=False,
                    force=True,
                    immediate=True,
                )
                return True
        return False

    def do_down(self) -> None:
        self._scroll_by(1)

    def do_up(self) -> None:
        self._scroll_by(-1)

    def do_first(self) -> None:
        self.scroll_to(y=0, animate=False, force=True, immediate=True)

    def do_last(self) -> None:
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True, immediate=True)

    def do_page_down(self) -> None:
        self._scroll_by(self.size.height)

    def do_page_up(self) -> None:
        self._scroll_by(-self.size.height)

    def do_half_down(self) -> None:
        self._scroll_by(self.size.height // 2)

    def do_half_up(self) -> None:
        self._scroll_by(-(self.size.height // 2))

    def do_next_hit(self) -> None:
        self.find_next()

    def do_previous_hit(self) -> None:
        self.find_next(back=True)

    def render_line(self, y: int) -> Strip:
        place = self.scroll_offset.y + y
        width = self.size.width
        if place >= len(self._folded):
            return Strip.blank(width, self.rich_style)
        line = self._folded[place]
        if self._holds(line):
            line = line.copy()
            line.stylize("reverse")
        strip = Strip([*Text(" " * MARGIN).render(console_of(self))])
        strip = Strip.join([strip, Strip(line.render(console_of(self)))])
        return strip.crop_extend(0, width, None).apply_style(self.rich_style)

    def on_resize(self) -> None:
        if self.size.width != self._width:
            self._fold()

    def _scroll_by(self, rows: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False, force=True, immediate=True)

    def _fold(self) -> None:
        """Wrap what is to be shown to the width there is."""
        before = self._folded
        self._width = self.size.width
        width = max(1, self._width - 2 * MARGIN)
        self._folded = [part for line in self._lines for part in self._wrap(line, width)]
        self.virtual_size = Size(self._width, len(self._folded))
        top = self.scroll_offset.y
        for y in range(self.size.height):
            if _at(before, top + y) != _at(self._folded, top + y):
                self.refresh(Region(0, y, self._width, 1))

    def _wrap(self, line: Line, width: int) -> list[Text]:
        room = width - line.indent
        if line.text.cell_len <= width or room < 8:
            return [line.text]
        head, rest = line.text[: line.indent], line.text[line.indent :]
        parts = rest.wrap(console_of(self), room)
        blank = Text(" " * line.indent)
        return [(head if not index else blank) + part for index, part in enumerate(parts)]

    def _holds(self, line: Text) -> bool:
        return bool(self._wanted) and self._wanted in line.plain.casefold()


def _at(lines: Sequence[Text], place: int) -> object:
    """What a line looks like, so that two can be compared: Text alone compares without styles."""
    if place >= len(lines):
        return None
    return lines[place].plain, lines[place].style, lines[place].spans
