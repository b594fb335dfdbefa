"""What is drawn can be read: every pair of colours on every screen, and states for every eye."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import pytest
from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob
from xpm_engine.workspace.records.states import JobState
from xpm_tui import look
from xpm_tui.look.themes import PALETTES
from xpm_tui.screens import dialog

Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]
RGB = tuple[float, float, float]

LEAST = 4.5
"""WCAG 2.2, criterion 1.4.3: the contrast of text and what is behind it."""

DECORATION = frozenset("─│┌┐└┘├┤┬┴┼╭╮╰╯━╌▁▂▃▄▅▆▇█▔▉▊▋▌▍▎▏▐╸╺ ")
"""Rules, frames, bars and scroll bars: no text."""


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2.2."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(color: Color) -> RGB:
    """Linear-light sRGB, 0 to 1."""
    red, green, blue = (_linear(part / 255) for part in color.rgb)
    return red, green, blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def pairs_on(app: Driven) -> dict[tuple[Color, Color], str]:
    """The colours of text and ground on the screen, with a text that has them."""
    theme = app.app.current_theme
    ground, text_colour = Color.parse(theme.background or ""), Color.parse(theme.foreground or "")
    found: dict[tuple[Color, Color], str] = {}
    screen = app.app.screen
    for strip in screen._compositor.render_strips(screen.size):
        for segment in strip:
            if segment.style is None or not set(segment.text) - DECORATION:
                continue
            ink = _colour(segment.style.color, text_colour)
            paper = _colour(segment.style.bgcolor, ground)
            if segment.style.reverse:
                ink, paper = paper, ink
            found[ink, paper] = segment.text.strip()
    return found


def _colour(color: RichColor | None, default: Color) -> Color:
    if color is None or color.is_default:
        return default
    return Color.from_rich_color(color)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("theme", list(PALETTES))
async def test_every_text_on_every_screen_can_be_read(
    drive: Drive, jobs: Jobs, monkeypatch: pytest.MonkeyPatch, theme: str, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(dialog, "GRACE", 0.01)
    pairs: dict[tuple[Color, Color], str] = {}
    async with drive().at(size) as app:
        app.app.theme = theme
        screens: list[tuple[str, ...]] = [
            ("j", "j", "l", "j", "space", "v", "j"),
            ("backspace", "enter"),
            ("2",),
            ("3",),
            ("5",),
            ("backspace", "g", "enter"),
            ("backspace", "j", "j", "enter"),
            ("3",),
            ("4",),
            ("backspace", "slash", "l", "r", ">"),
            ("escape", "question_mark"),
            ("G",),
            ("escape", "colon", "l", "e"),
            ("escape", "j", "j", "j", "Y"),
            ("escape", "L"),
            ("slash", *"grad", "enter"),
            ("v", "k"),
        ]
        for keys in screens:
            await app.press(*keys)
            await app.settle()
            pairs |= pairs_on(app)
        await app.press("q", "u", "K")
        await app.asked()
        pairs |= pairs_on(app)
        await app.press("escape", "x")
        await app.until(lambda: "nothing moves" in "\n".join(app.lines()))
        await app.pilot.pause(0.2)
        pairs |= pairs_on(app)
    # What shines through behind a dialog is faded on purpose; its own text is not.
    ground = Color.parse(PALETTES[theme].theme.background or "")
    bad = {
        (ink.hex, paper.hex): text
        for (ink, paper), text in pairs.items()
        if contrast(ink, paper) < LEAST and not _faded(ink, paper, ground, pairs)
    }
    assert not bad


def _faded(
    ink: Color, paper: Color, ground: Color, pairs: Mapping[tuple[Color, Color], str]
) -> bool:
    """Whether it is a pair that is on a screen too, seen through 60 % of the ground."""
    through = [(one.blend(ground, 0.6), two.blend(ground, 0.6)) for one, two in pairs]
    return any(_near(ink, one) and _near(paper, two) for one, two in through)


def _near(one: Color, other: Color) -> bool:
    return all(abs(first - second) <= 3 for first, second in zip(one.rgb, other.rgb, strict=True))


# Machado, Oliveira and Fernandes: A Physiologically-based Model for Simulation of Color Vision
# Deficiency, IEEE TVCG 15 (2009), severity 1.0, on linear-light sRGB;
# https://www.inf.ufrgs.br/~oliveira/pubs_files/CVD_Simulation/CVD_Simulation.html
BLINDNESS: Mapping[str, tuple[RGB, RGB, RGB]] = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}

GROUPS: Mapping[str, JobState] = {
    "done": JobState.DONE,
    "running": JobState.RUNNING,
    "failed": JobState.FAILED,
    "waiting": JobState.WAITING,
    "queued": JobState.QUEUED,
}
"""The states that are told by a colour of their own."""


def seen_by(color: Color, matrix: tuple[RGB, RGB, RGB]) -> RGB:
    """The colour as somebody sees it, in linear light."""
    light = linear(color)
    parts = [
        min(1.0, max(0.0, sum(weight * part for weight, part in zip(row, light, strict=True))))
        for row in matrix
    ]
    return parts[0], parts[1], parts[2]


def lab(light: RGB) -> RGB:
    """CIE L*a*b* (D65) of linear-light sRGB."""
    red, green, blue = light
    xyz = (
        (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047,
        0.2126729 * red + 0.7151522 * green + 0.0721750 * blue,
        (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883,
    )
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def difference(one: RGB, other: RGB) -> float:
    """CIE76: about 2.3 can just be seen."""
    pairs = zip(lab(one), lab(other), strict=True)
    return sum((first - second) ** 2 for first, second in pairs) ** 0.5


@pytest.mark.parametrize("theme", list(PALETTES))
def test_every_style_can_be_read_on_the_ground_and_under_the_cursor(theme: str) -> None:
    palette = PALETTES[theme]
    for name, words in palette.styles.items():
        color = Style.parse(words).color
        for ground in (palette.theme.background, palette.theme.variables["xpm-cursor"]):
            if color is not None and name != "xpm.line":
                paper = Color.parse(ground or "")
                assert contrast(Color.from_rich_color(color), paper) >= LEAST, (name, ground)


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("theme", list(PALETTES))
def test_states_are_apart_for_every_eye(theme: str, blindness: str) -> None:
    styles = PALETTES[theme].styles
    for one, other in itertools.combinations(look.STATES.values(), 2):
        # Glyph or word differ always; unreachable and running share a glyph, and not the word.
        assert (one.glyph, one.word) != (other.glyph, other.word)
    if theme != "xpm-colour-blind":
        return
    colours = {
        name: seen_by(_ink(styles[look.STATES[state].style]), BLINDNESS[blindness])
        for name, state in GROUPS.items()
    }
    near = {
        (first, second): round(difference(colours[first], colours[second]), 1)
        for first, second in itertools.combinations(colours, 2)
        if difference(colours[first], colours[second]) < APART
    }
    assert not near


APART = 25.0
"""CIE76 between two states in the colour-blind-safe theme, as somebody sees them."""


def _ink(style: str) -> Color:
    color = Style.parse(style).color
    assert color is not None
    return Color.from_rich_color(color)
