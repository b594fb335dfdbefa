"""Merged segments show the same cells."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from xpm_tui.look.merging import MergeFilter

styles = st.builds(
    Style,
    color=st.sampled_from((None, "red", "blue")),
    bgcolor=st.sampled_from((None, "black", "green")),
    bold=st.sampled_from((None, True)),
    underline=st.sampled_from((None, None, True)),
    reverse=st.sampled_from((None, None, True)),
)
lines = st.lists(
    st.builds(Segment, st.text(" a─", min_size=1, max_size=4), st.none() | styles), max_size=8
)


def cells(segments: list[Segment]) -> list[tuple[str, object]]:
    """What is seen: of a plain blank only what lies behind it."""
    found: list[tuple[str, object]] = []
    for text, style, _ in segments:
        for sign in text:
            look = style or Style.null()
            plain = sign == " " and not (look.underline or look.reverse)
            found.append((sign, look.bgcolor if plain else look))
    return found


@settings(deadline=None)
@given(lines)
def test_the_cells_are_the_same(segments: list[Segment]) -> None:
    merged = MergeFilter().apply(segments, Color(0, 0, 0))
    assert cells(merged) == cells(segments)
    assert len(merged) <= len(segments)


def test_a_row_of_a_table_becomes_a_few_segments() -> None:
    plain, faint = Style(color="white", bgcolor="black"), Style(color="grey50", bgcolor="black")
    row = [
        Segment(" ", faint),
        Segment("done", plain),
        Segment("   ", faint),
        Segment("0.1", plain),
        Segment(" ", Style(bgcolor="black")),
        Segment("12 s", faint),
    ]
    merged = MergeFilter().apply(row, Color(0, 0, 0))
    assert [segment.text for segment in merged] == [" done   0.1 ", "12 s"]


def test_what_is_said_with_a_click_stays_apart() -> None:
    row = [Segment("a", Style(bgcolor="black")), Segment(" ", Style(bgcolor="black", link="x:y"))]
    assert MergeFilter().apply(row, Color(0, 0, 0)) == row
