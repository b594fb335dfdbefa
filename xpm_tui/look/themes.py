"""The themes: what the names of styles mean in each of them; the only place that knows a colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

from xpm_tui.look.signs import ASCII


@dataclass(frozen=True)
class Palette:
    """The colours of a theme."""

    theme: Theme
    styles: Mapping[str, str]
    """Name -> Rich style."""


def _palette(
    name: str,
    *,
    dark: bool,
    ground: str,
    text: str,
    faint: str,
    line: str,
    accent: str,
    cursor: str,
    done: str,
    running: str,
    failed: str,
    waiting: str,
    queued: str,
) -> Palette:
    theme = Theme(
        name=name,
        dark=dark,
        primary=accent,
        secondary=running,
        accent=accent,
        success=done,
        warning=queued,
        error=failed,
        foreground=text,
        background=ground,
        surface=ground,
        panel=ground,
        boost=ground,
        variables={
            "xpm-line": line,
            "xpm-faint": faint,
            "xpm-cursor": cursor,
            "block-cursor-background": cursor,
            "block-cursor-foreground": text,
            "scrollbar": line,
            "scrollbar-background": ground,
            "scrollbar-corner-color": ground,
        },
    )
    styles = {
        "xpm.done": done,
        "xpm.running": f"bold {running}",
        "xpm.failed": f"bold {failed}",
        "xpm.cancelled": queued,
        "xpm.blocked": queued,
        "xpm.queued": queued,
        "xpm.waiting": waiting,
        "xpm.unreadable": f"bold {queued}",
        "xpm.faint": faint,
        "xpm.key": f"bold {accent}",
        "xpm.title": "bold",
        "xpm.tag": accent,
        "xpm.good": done,
        "xpm.bad": f"bold {failed}",
        "xpm.warning": queued,
        "xpm.line": line,
        "xpm.cursor": f"bold on {cursor}",
        "xpm.marked": f"bold {accent}",
    }
    return Palette(theme, styles)


DARK = _palette(
    "xpm-dark",
    dark=True,
    ground="#14171c",
    text="#d8dee6",
    faint="#9ca7b5",
    line="#4a5563",
    accent="#7cc4ff",
    cursor="#2c3a4d",
    done="#7fce8b",
    running="#6cb6ff",
    failed="#ff8a80",
    waiting="#b8c0cc",
    queued="#e6c46a",
)
LIGHT = _palette(
    "xpm-light",
    dark=False,
    ground="#fbfbf8",
    text="#1d2430",
    faint="#5b6675",
    line="#aab2bd",
    accent="#0b57a4",
    cursor="#d5e4f5",
    done="#1b6e2e",
    running="#0b57a4",
    failed="#b3201b",
    waiting="#4c5665",
    queued="#7a5600",
)
# The hues of Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), in those lightnesses that
# keep the states furthest apart under all three kinds of colour blindness.
COLOUR_BLIND = _palette(
    "xpm-colour-blind",
    dark=True,
    ground="#101216",
    text="#e2e6ea",
    faint="#9aa3af",
    line="#4f5863",
    accent="#56b4e9",
    cursor="#2a3644",
    done="#3df4a8",
    running="#699eee",
    failed="#fe794c",
    waiting="#9ea7b3",
    queued="#ffe019",
)

PALETTES: Mapping[str, Palette] = {
    palette.theme.name: palette for palette in (DARK, LIGHT, COLOUR_BLIND)
}


class AsciiFilter(LineFilter):
    """Draws our signs as ASCII, on a terminal that has nothing else."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [_ascii(segment) for segment in segments]


def _ascii(segment: Segment) -> Segment:
    text = segment.text
    if segment.control or text.isascii():
        return segment
    translated = text.translate(ASCII)
    return Segment(translated, segment.style)


class NoColourFilter(LineFilter):
    """Draws without any colour, as NO_COLOR asks (https://no-color.org).

    What a colour behind the text told, such as the cursor's row, is told by reverse video.
    """

    def __init__(self, ground: Callable[[], str]) -> None:
        """`ground` is the colour that the screens have behind them now."""
        super().__init__()
        self._ground = ground

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        ground = RichColor.parse(self._ground())
        return [
            Segment(segment.text, _colourless(segment.style, ground), segment.control)
            for segment in segments
        ]


def _colourless(style: Style | None, ground: RichColor) -> Style | None:
    if style is None:
        return None
    behind = style.bgcolor
    lifted = behind is not None and not behind.is_default and behind != ground
    return Style(
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        strike=style.strike,
        reverse=bool(style.reverse) != lifted,
        meta=style.meta,
        link=style.link,
    )
