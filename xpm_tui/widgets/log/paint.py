"""Draw lines of a log: their writer's colours, what was found, what is hidden, the cursor."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rich.cells import cell_len, chop_cells
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from xpm_engine.workspace.logs import TROUBLE, Colour, Line, Look, Query
from xpm_tui.widgets.log.reading import Reading

_MARK = "▌"
_BADGE_MARGIN = 2


@dataclass(frozen=True)
class LogStyles:
    """The styles of the parts of a log view, from its component classes."""

    base: Style
    number: Style
    note: Style
    hit: Style
    trouble: Style
    cursor: Style
    chosen: Style
    """Lines of a range."""
    missed: Style
    """The badge that tells of lines below."""


@dataclass(frozen=True)
class Frame:
    """All that changes how a line is drawn, but for the line itself."""

    styles: LogStyles
    width: int
    left: int
    """Cells scrolled sideways; 0 when wrapped."""
    wrap: bool
    find: Query | None
    numbers: int
    """Width of the column of line numbers; 0: none."""

    def __hash__(self) -> int:
        # Without the styles, which are the same for long and take as long to hash as all else.
        return hash((self.width, self.left, self.wrap, self.numbers))

    @property
    def text_width(self) -> int:
        """Cells left for text."""
        gutter = 1 + (self.numbers + 1 if self.numbers else 0)
        return max(self.width - gutter, 1)


def note_of(line: Line) -> str:
    """What is said behind a line's text: that it is not all that was written."""
    if line.rewrites:
        times = f"{line.rewrites:,} times" if line.rewrites > 1 else "once"
        return f"   (one line, rewritten {times})"
    return f" … ({line.hidden:,} more bytes in this line)" if line.hidden else ""


def height_of(line: Line, frame: Frame) -> int:
    """How many screen lines a line takes."""
    if not frame.wrap:
        return 1
    length = len(line.text) + len(note_of(line))
    if length <= frame.text_width and line.text.isascii():
        return 1
    return len(_pieces(line, frame))


@lru_cache(maxsize=2048)
def paint(
    line: Line,
    frame: Frame,
    part: int,
    *,
    number: int | None = None,
    cursor: bool = False,
    chosen: bool = False,
) -> Strip:
    """One screen line, as wide as the frame; the same strip again for the same arguments."""
    styles = frame.styles
    gutter = [Segment(_MARK if cursor else " ", styles.base)]
    if frame.numbers:
        shown = f"{number:,}" if number is not None and part == 0 else ""
        gutter.append(Segment(f"{shown:>{frame.numbers}} ", styles.base + styles.number))
    pieces = _pieces(line, frame)
    body = pieces[min(part, len(pieces) - 1)]
    strip = Strip([*gutter, *body]).adjust_cell_length(frame.width, styles.base)
    if cursor:
        return strip.apply_style(styles.cursor)
    return strip.apply_style(styles.chosen) if chosen else strip


def paint_screen(reading: Reading, frame: Frame, *, badge: str) -> list[Strip]:
    """All screen lines; ``badge`` is written over the last one."""
    log, position = reading.log, reading.position
    first, last = position.chosen
    strips = [
        paint(
            reading.line(row),
            frame,
            part,
            number=log.number(row),
            cursor=row == position.cursor,
            chosen=position.range_start is not None and first <= row <= last,
        )
        for row, part in position.visible()
    ]
    if log.words and not strips:
        strips.append(paint(Line(log.words), frame, 0))
    strips += [paint(Line(""), frame, 0)] * (position.height - len(strips))
    if badge:
        strips[-1] = paint_badge(strips[-1], frame, badge)
    return strips


def paint_badge(strip: Strip, frame: Frame, words: str) -> Strip:
    """A screen line with words over its right end."""
    columns = badge_columns(frame, words)
    badge = Strip([Segment(f" {words} "[-len(columns) :], frame.styles.missed)])
    kept = strip.crop(0, columns.start)
    return Strip.join([kept, badge, strip.crop(columns.stop, frame.width)])


def badge_columns(frame: Frame, words: str) -> range:
    """Where the badge is, for a click."""
    end = max(frame.width - _BADGE_MARGIN, 0)
    return range(max(end - len(words) - 2, 0), end)


@lru_cache(maxsize=512)
def _pieces(line: Line, frame: Frame) -> tuple[tuple[Segment, ...], ...]:
    """The line cut to the frame: one piece, or as many as it takes when wrapped."""
    whole = _segments(line, frame)
    width = frame.text_width
    if not frame.wrap:
        strip = Strip(whole)
        if strip.cell_length - frame.left <= width:
            return (tuple(strip.crop(frame.left)),)
        cut = strip.crop(frame.left, frame.left + width - 1).adjust_cell_length(width - 1)
        return ((*cut, Segment("…", frame.styles.base + frame.styles.note)),)
    text = "".join(segment.text for segment in whole)
    if cell_len(text) <= width:
        return (tuple(whole),)
    cuts, at = list[int](), 0
    for piece in chop_cells(text, width):
        at += cell_len(piece)
        cuts.append(at)
    return tuple(tuple(strip) for strip in Strip(whole).divide(cuts))


def _segments(line: Line, frame: Frame) -> list[Segment]:
    styles = frame.styles
    base = styles.base
    raw = line.text.encode()
    if TROUBLE.matches(raw):
        base += styles.trouble
    found = frame.find.places(line.text) if frame.find is not None else ()
    bounds = {0, len(line.text)}
    for span in line.spans:
        bounds.update((span.start, span.end))
    for start, end in found:
        bounds.update((start, end))
    edges = sorted(bounds)
    segments: list[Segment] = []
    looks, hits = deque(line.spans), deque(found)
    for start, end in pairwise(edges):
        while looks and looks[0].end <= start:
            looks.popleft()
        while hits and hits[0][1] <= start:
            hits.popleft()
        style = base
        if looks and looks[0].start <= start:
            style += style_of(looks[0].look)
        if hits and hits[0][0] <= start:
            style += styles.hit
        segments.append(Segment(line.text[start:end], style))
    if note := note_of(line):
        segments.append(Segment(note, styles.base + styles.note))
    return segments


@lru_cache(maxsize=256)
def style_of(look: Look) -> Style:
    """The writer's look as a style; what it leaves open stays that of the view."""
    return Style(
        color=_colour(look.foreground),
        bgcolor=_colour(look.background),
        bold=look.bold or None,
        dim=look.dim or None,
        italic=look.italic or None,
        underline=look.underline or None,
        reverse=look.reverse or None,
        strike=look.strike or None,
    )


def _colour(colour: Colour) -> Color | None:
    if colour is None:
        return None
    return Color.from_ansi(colour) if isinstance(colour, int) else Color.from_rgb(*colour)
