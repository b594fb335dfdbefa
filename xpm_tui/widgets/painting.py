"""Lines that are painted again only where they look different: what Tree and Table have alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from rich.style import Style
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class PaintedLines(ScrollView):
    """Remembers what every line of the screen looks like, and hands on only what is different."""

    def __init__(
        self,
        *,
        id: str | None = None,  # noqa: A002 (Textual's name)
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._painted: dict[int, Strip] = {}
        """What is on the screen."""
        self._made: dict[int, Strip] = {}
        """What every line looks like, since `repaint` last looked."""
        self._made_at: tuple[object, ...] = ()
        self._base: Style | None = None
        self.room = Size()
        """The size and, below, the place scrolled to for which lines are made now: Textual looks
        both up anew for every line that asks."""
        self.scrolled = Offset()
        self._drawn_at: tuple[object, ...] | None = None
        """What lines are drawn for, while they are; and with which style."""
        self._drawn_with = Style.null()
        self._held = False
        self._stale = False

    @abstractmethod
    def make_line(self, y: int, base: Style) -> Strip:
        """What the line looks like now; `base` is the widget's own style, which takes long to
        work out."""

    def prepare(self) -> None:
        """Work out what all lines have in common."""

    def repaint(self, lines: Iterable[int] | None = None) -> None:
        """Draw again the lines that look different now: some of these; of all, without any."""
        if not self.is_mounted:
            return
        if self._held:
            self._stale = True
            return
        base, view = self.rich_style, self.look_around()
        if lines is None or self._made_at != view or base != self._base:
            self._made_at, self._base = view, base
            lines = range(self.room.height)
            self.prepare()
        changed: list[Region] = []
        for y in lines:
            line = self._made[y] = self.make_line(y, base)
            if self._painted.get(y) != line:
                changed.append(Region(0, y, self.room.width, 1))
        if changed:
            self.refresh(*changed)

    @contextmanager
    def painted_once(self) -> Generator[None, None, None]:
        """Whatever asks for painting meanwhile, it is painted once, at the end."""
        if self._held:
            yield
            return
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if self._stale:
                self._stale = False
                self.repaint()

    def render_lines(self, crop: Region) -> list[Strip]:
        self._drawn_with = base = self.rich_style
        if self._base is not None and self._base != base:
            self._forget_made()
        self._drawn_at = self.look_around()
        try:
            return super().render_lines(crop)
        finally:
            self._drawn_at = None

    def render_line(self, y: int) -> Strip:
        view = self._drawn_at or self.look_around()
        line = self._made.get(y) if self._made_at == view else None
        if line is None:
            line = self.make_line(y, self._drawn_with if self._drawn_at else self.rich_style)
        self._painted[y] = line
        return line

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._forget_made()

    def forget_painted(self) -> None:
        """Nothing of what was painted is on the screen any more."""
        self._painted.clear()
        self._forget_made()

    def _forget_made(self) -> None:
        self._made_at = ()

    def look_around(self) -> tuple[object, ...]:
        """What of the screen lines are made for now."""
        self.room, self.scrolled = self.size, self.scroll_offset
        return (self.room, self.scrolled)
