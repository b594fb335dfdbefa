"""Signs and colours: every state has its own, and can be read in every theme."""

from __future__ import annotations

import itertools

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from xpm_engine.workspace.records.states import JobState
from xpm_tui import look
from xpm_tui.look.signs import ASCII
from xpm_tui.look.themes import PALETTES, AsciiFilter, Palette

themes = pytest.mark.parametrize("palette", PALETTES.values(), ids=list(PALETTES))


def test_every_state_is_told_by_glyph_and_word() -> None:
    assert set(look.STATES) == set(JobState)
    words = [state.word for state in look.STATES.values()]
    assert len(set(words)) == len(words)
    assert all(cell_len(state.glyph) == 1 for state in look.STATES.values())


def test_no_sign_is_an_emoji() -> None:
    signs = {chr(code) for code in ASCII}
    assert all(cell_len(sign) == 1 for sign in signs)
    assert {sign for sign in signs if ord(sign) >= 0x2B00} == {"�"}


def test_the_states_that_matter_stay_apart_in_ascii() -> None:
    states = (
        JobState.WAITING,
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.DONE,
        JobState.FAILED,
        JobState.DIED,
        JobState.CANCELLED,
        JobState.BLOCKED,
        JobState.UNREADABLE,
    )
    drawn = [look.STATES[state].glyph.translate(ASCII) for state in states]
    assert drawn == [".", "q", ">", "+", "X", "!", "/", "#", "?"]


def test_ascii_keeps_every_cell_in_its_place() -> None:
    line = [Segment("▾ ● lr=0.1  ━━╌╌ │"), Segment("café", Style(bold=True))]
    drawn = AsciiFilter().apply(line, Color(0, 0, 0))
    assert [segment.text for segment in drawn] == ["- > lr=0.1  ==.. |", "café"]
    assert drawn[1].style == Style(bold=True)


@themes
def test_every_style_of_the_signs_has_a_colour(palette: Palette) -> None:
    for state in look.STATES.values():
        assert state.style in palette.styles
    assert {"xpm.faint", "xpm.key", "xpm.title", "xpm.tag"} <= set(palette.styles)


@themes
def test_text_can_be_read(palette: Palette) -> None:
    """WCAG 2.1's contrast of at least 4.5, on the ground and under the cursor."""
    grounds = [palette.theme.background, palette.theme.variables["xpm-cursor"]]
    for name, words in palette.styles.items():
        colour = Style.parse(words).color
        if colour is None or name in ("xpm.line",):
            continue
        for ground in grounds:
            ratio = _contrast(Color.from_rich_color(colour), Color.parse(ground or ""))
            assert ratio >= 4.5, f"{name} on {ground}: {ratio:.1f}"


# Viénot, Brettel and Mollon (1999), "Digital video colourmaps for checking the legibility of
# displays by dichromats", on linear RGB.
_SEEN = {
    "protanopia": ((0.1124, 0.8876, 0.0), (0.1124, 0.8876, 0.0), (0.0040, -0.0040, 1.0)),
    "deuteranopia": ((0.2927, 0.7073, 0.0), (0.2927, 0.7073, 0.0), (-0.0223, 0.0223, 1.0)),
}


@pytest.mark.parametrize("kind", list(_SEEN))
def test_states_stay_apart_for_the_colour_blind(kind: str) -> None:
    palette = PALETTES["xpm-colour-blind"]
    names = ("xpm.done", "xpm.running", "xpm.failed", "xpm.queued")
    seen = {name: _as_seen(palette.styles[name], _SEEN[kind]) for name in names}
    for one, other in itertools.combinations(names, 2):
        apart = sum((a - b) ** 2 for a, b in zip(seen[one], seen[other], strict=True)) ** 0.5
        assert apart > 0.15, f"{one} and {other} look the same: {apart:.2f}"


def _linear(channel: int) -> float:
    value = channel / 255
    return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4


def _as_seen(words: str, matrix: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    colour = Style.parse(words).color
    assert colour is not None
    rgb = [_linear(channel) for channel in Color.from_rich_color(colour).rgb]
    return tuple(
        sum(factor * part for factor, part in zip(row, rgb, strict=True)) for row in matrix
    )


def _contrast(one: Color, other: Color) -> float:
    lights = sorted(
        0.2126 * _linear(colour.r) + 0.7152 * _linear(colour.g) + 0.0722 * _linear(colour.b)
        for colour in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)
