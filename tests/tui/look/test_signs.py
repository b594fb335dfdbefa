"""Signs and colours: every state has its own, and can be read in every theme."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from xpm_engine.workspace.records.states import JobState
from xpm_tui import look
from xpm_tui.actions.action import key_name
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
    assert all(shown.translate(ASCII).isascii() for shown in map(key_name, ["left", "right", "up"]))
    drawn = AsciiFilter().apply(line, Color(0, 0, 0))
    assert [segment.text for segment in drawn] == ["- > lr=0.1  ==.. |", "café"]
    assert drawn[1].style == Style(bold=True)


@themes
def test_every_style_of_the_signs_has_a_colour(palette: Palette) -> None:
    for state in look.STATES.values():
        assert state.style in palette.styles
    assert {"xpm.faint", "xpm.key", "xpm.title", "xpm.tag"} <= set(palette.styles)
