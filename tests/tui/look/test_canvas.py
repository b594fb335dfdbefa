"""Frames that write only what differs leave on a terminal what frames written in full do."""

from __future__ import annotations

import curses
import sys
from collections.abc import Sequence

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from xpm_tui.look.canvas import MANY, Canvas, erases_in_colour, look_of, step_between

WIDTH, HEIGHT, CUT = 24, 3, 5
CONSOLE = Console(color_system="truecolor", force_terminal=True)

styles = st.builds(
    Style,
    color=st.sampled_from((None, "red", "#102030", "color(77)")),
    bgcolor=st.sampled_from((None, "black", "#405060")),
    bold=st.sampled_from((None, True)),
    underline=st.sampled_from((None, None, True)),
    reverse=st.sampled_from((None, None, True)),
)
texts = st.text("  ab─日", min_size=1, max_size=6) | st.just(" " * (MANY + 2))
segments = st.tuples(texts, st.none() | styles).map(lambda drawn: Segment(*drawn))


def strips(width: int) -> st.SearchStrategy[Strip]:
    lines = st.lists(segments, max_size=5)
    return lines.map(lambda line: Strip(line).adjust_cell_length(width))


rows = st.tuples(strips(CUT), strips(WIDTH - CUT))
screens = st.lists(rows, min_size=HEIGHT, max_size=HEIGHT)
parts = st.lists(st.tuples(st.integers(0, HEIGHT - 1), st.booleans()), max_size=3, unique=True)
frames = st.lists(st.tuples(screens, st.none() | parts), min_size=1, max_size=5)


def whole(screen: Sequence[tuple[Strip, Strip]]) -> LayoutUpdate:
    return LayoutUpdate([list(row) for row in screen], Region(0, 0, WIDTH, HEIGHT))


def part(screen: Sequence[tuple[Strip, Strip]], which: list[tuple[int, bool]]) -> ChopsUpdate:
    chops = [{0: left, CUT: right} for left, right in screen]
    spans = [(y, CUT, WIDTH) if right else (y, 0, CUT) for y, right in sorted(which)]
    return ChopsUpdate(chops, spans, [[CUT, WIDTH]] * HEIGHT)


class Terminal:
    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)

    def feed(self, text: str) -> None:
        self.stream.feed(text)
        assert self.screen.cursor.attrs == self.screen.default_char, "the style is left plain"

    def cells(self) -> list[list[tuple[object, ...]]]:
        """What is seen: of a plain blank only what lies behind it."""
        return [[_seen(self.screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def _seen(cell: pyte.screens.Char) -> tuple[object, ...]:
    if cell.data.isspace() and not (cell.underscore or cell.reverse):
        return (" ", cell.bg)
    return tuple(cell)


@settings(deadline=None, max_examples=60)
@given(frames, st.booleans())
def test_the_terminal_shows_the_same(
    drawn: list[tuple[list[tuple[Strip, Strip]], list[tuple[int, bool]] | None]], erases: bool
) -> None:
    canvas, told, spared = Canvas(erases=erases), Terminal(), Terminal()
    for screen, which in drawn:
        if which is not None and not which:
            continue
        update = whole(screen) if which is None else part(screen, which)
        told.feed(update.render_segments(CONSOLE))
        spared.feed(canvas.changes(update).render_segments(CONSOLE))
        assert spared.cells() == told.cells()


def _row(*texts: str) -> LayoutUpdate:
    line = [Segment(text, Style(color="#a0a0a0", bgcolor="#101010")) for text in texts]
    return LayoutUpdate([[Strip(line)]], Region(0, 0, WIDTH, 1))


def test_what_is_there_is_not_written_again() -> None:
    canvas = Canvas()
    assert "running" in canvas.changes(_row("running", " 1 s ")).render_segments(CONSOLE)
    assert canvas.changes(_row("running", " 1 s ")).render_segments(CONSOLE) == ""
    written = canvas.changes(_row("running", " 2 s ")).render_segments(CONSOLE)
    assert written.startswith("\x1b[1;9H")
    assert "2" in written
    assert "s" not in written


def test_after_something_else_has_written_all_is_written_again() -> None:
    canvas = Canvas()
    canvas.changes(_row("running")).render_segments(CONSOLE)
    canvas.forget()
    assert "running" in canvas.changes(_row("running")).render_segments(CONSOLE)


def test_a_frame_that_is_no_update_of_cells_is_handed_on_and_nothing_is_known_then() -> None:
    canvas = Canvas()
    canvas.changes(_row("running")).render_segments(CONSOLE)
    assert canvas.changes("anything") == "anything"
    assert canvas.changes(None) is None
    assert "running" in canvas.changes(_row("running")).render_segments(CONSOLE)


def _mixed(look: str, other: str, rows: int) -> LayoutUpdate:
    styles = [Style.parse(look), Style.parse(other)] * 3
    line = Strip([Segment(f"{place} ", style) for place, style in enumerate(styles)])
    return LayoutUpdate([[line]] * rows, Region(0, 0, WIDTH, rows))


def test_a_colour_is_told_once_a_frame() -> None:
    written = Canvas().changes(_mixed("#a0a0a0", "#10a010", 5)).render_segments(CONSOLE)
    assert written.count("160;160;160") == written.count("16;160;16") == 1
    line_by_line = Canvas().changes(_mixed("red", "blue", 1)).render_segments(CONSOLE)
    assert "0 \x1b[34m1 \x1b[31m2" in line_by_line, "where that is shorter"


@pytest.mark.parametrize("erases", [True, False])
def test_many_blanks_are_erased_where_that_leaves_their_colour(erases: bool) -> None:
    canvas, blanks = Canvas(erases=erases), " " * (WIDTH - 2)
    written = canvas.changes(_row("a", blanks, "b")).render_segments(CONSOLE)
    assert (f"\x1b[{WIDTH - 2}X\x1b[{WIDTH}Gb" in written) is erases
    assert (blanks in written) is not erases
    plain = LayoutUpdate([[Strip([Segment(blanks)])]], Region(0, 0, WIDTH, 1))
    assert blanks not in canvas.changes(plain).render_segments(CONSOLE), "no colour, no doubt"


@pytest.mark.parametrize(
    ("environment", "erases"),
    [
        ({"TMUX": "/tmp/tmux", "TERM": "screen"}, True),
        ({"TMUX": "/tmp/tmux", "STY": "1.pts", "TERM": "screen"}, False),
        ({"TERM": "good"}, True),
        ({"TERM": "poor"}, False),
        ({"TERM": "no such terminal"}, False),
        ({}, False),
    ],
)
def test_which_terminals_leave_what_they_erase_in_colour(
    environment: dict[str, str], erases: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process can ask curses of one terminal only, whatever it asks for later."""
    flags = {"good": 1, "poor": 0}
    asked: list[str] = []

    def set_up(term: str, descriptor: int) -> None:
        if term not in flags:
            raise curses.error
        asked.append(term)

    monkeypatch.setattr(curses, "setupterm", set_up)
    monkeypatch.setattr(curses, "tigetflag", lambda name: flags[asked[-1]])
    assert erases_in_colour(environment) is erases


def test_a_python_without_curses_erases_in_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "curses", None)
    assert not erases_in_colour({"TERM": "xterm-256color"})


def test_a_link_is_written_as_textual_does() -> None:
    line = [Segment("here", Style(link="https://example.org"))]
    update = LayoutUpdate([[Strip(line)]], Region(0, 0, WIDTH, 1))
    assert "https://example.org" in Canvas().changes(update).render_segments(CONSOLE)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("red", "red", ""),
        ("red", "none", "\x1b[m"),
        ("red on black", "blue on black", "\x1b[34m"),
        ("red on black", "on black", "\x1b[39m"),
        ("red", "bold red", "\x1b[1m"),
        ("bold red", "red", "\x1b[0;31m"),
        ("on #010203", "#010203", "\x1b[38;2;1;2;3;49m"),
    ],
)
def test_from_one_style_to_another_only_what_differs_is_told(
    before: str, after: str, told: str
) -> None:
    looks = [look_of(Style.parse(each), ColorSystem.TRUECOLOR) for each in (before, after)]
    assert step_between(*looks) == told
