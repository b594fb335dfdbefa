"""Numbers, times and what users wrote, in words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from tests.tui.workspaces import NOON
from tests.tui.workspaces import ago as before_noon
from xpm_tui import look


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.25, "0.2 s"),
        (12.4, "12 s"),
        (59.9, "1 min"),
        (540, "9 min"),
        (3_600, "1 h"),
        (5_400, "1 h 30 min"),
        (86_400, "24 h"),
        (259_200, "3 d"),
        (-5, "0 s"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert look.duration(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_100, "1.1 kB"),
        (580_000_000, "580 MB"),
        (1_100_000_000, "1.1 GB"),
        (8_500_000_000_000, "8500 GB"),
        (85_000_000_000_000, "85.0 TB"),
    ],
)
def test_sizes(count: int, words: str) -> None:
    assert look.size(count) == words


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (0, "12:00"),
        (3 * 3600, "09:00"),
        (20 * 3600, "yesterday"),
        (20 * 86_400, "3 Nov"),
        (400 * 86_400, "19 Oct 2025"),
    ],
)
def test_times(before: float, words: str) -> None:
    assert look.when(before_noon(before), NOON) == words


def test_times_that_are_absent_or_damaged() -> None:
    assert look.when(None, NOON) == ""
    assert look.when("yester\x1bday", NOON) == "yester�day"


def test_percent_says_all_only_for_all() -> None:
    assert look.percent(0.999) == "99 %"
    assert look.percent(1.0) == "100 %"


@given(st.text())
def test_plain_text_steers_no_terminal(text: str) -> None:
    found = look.plain(text)
    assert all(character.isprintable() for character in found)
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in found)


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert look.plain(text) == text


def test_what_steers_is_replaced_sign_by_sign() -> None:
    assert look.plain("a\x1b[31mb\nc\td\u202ee") == "a�[31mb⏎c d�e"
    assert look.plain("train[lr=0.1] [/x]") == "train[lr=0.1] [/x]"


@given(st.text(max_size=30), st.integers(0, 40), st.booleans())
def test_cut_is_exactly_as_wide_as_asked(text: str, width: int, right: bool) -> None:
    cut = look.cut(Text(look.plain(text)), width, right=right)
    assert cut.cell_len == width


@given(st.floats(0, 1), st.integers(1, 40))
def test_a_bar_is_full_only_at_the_whole(fraction: float, width: int) -> None:
    text = look.bar(fraction, width).plain
    assert len(text) == width
    assert (text == look.BAR_FULL * width) == (fraction == 1.0 or (width == 1 and fraction == 1.0))


def test_ordinals() -> None:
    numbers = (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)
    assert [look.ordinal(number) for number in numbers] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "13th",
        "21st",
        "102nd",
        "111th",
    ]
