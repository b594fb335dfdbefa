"""Frames that ask for little show what Textual's own show, whatever lies over what."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual._context import visible_screen_stack
from textual.app import App, ComposeResult
from textual.containers import Container, Horizontal, VerticalScroll
from textual.geometry import Region, Size
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widgets import Static

from xpm_tui.look.compositor import SparingCompositor, compose_sparingly

SIZE = (40, 16)


class Layers(Screen[None]):
    """Widgets side by side, inside one another, scrolled, with borders, and one over the others."""

    def __init__(self) -> None:
        super().__init__()
        compose_sparingly(self)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("a", id="a")
            yield Static("b\nb\nb", id="b")
        with Container(id="frame"), VerticalScroll(id="scroll"):
            yield Static("long " * 50, id="long")
        yield Static("over", id="over")


class Layered(App[None]):
    CSS = """
    Horizontal { height: 8; } #a { width: 13; border: solid red; } #scroll { height: 4; }
    #long { height: 9; } #over { layer: above; offset: 5 3; width: 20; height: 6; border: round; }
    Layers { layers: default above; } #frame { padding: 1 2; }
    """

    def get_default_screen(self) -> Layers:
        return Layers()


def pieces(update: CompositorUpdate | None) -> Iterator[tuple[int, int, Strip]]:
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips):
            x = 0
            for strip in line:
                yield x, y, strip
                x += strip.cell_length
    elif isinstance(update, ChopsUpdate):
        for y, left, right in update.spans:
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=True):
                if strip is not None and x < right and end > left:
                    assert strip.cell_length == end - x
                    yield x, y, strip


Cells = dict[tuple[int, int], Segment]


def draw(update: CompositorUpdate | None, cells: Cells) -> None:
    for x, y, strip in pieces(update):
        place = x
        for text, style, _ in strip:
            for sign in text:
                cells[place, y] = Segment(sign, style)
                place += 1


def whole(compositor: Compositor) -> Cells:
    """What Textual's own way draws."""
    cells: Cells = {}
    region = Region(0, 0, *SIZE)
    chops = Compositor._render_chops(compositor, region, lambda _: True)
    draw(LayoutUpdate([line.values() for line in chops], region), cells)
    return cells


@pytest.mark.parametrize("seed", range(5))
async def test_a_frame_of_changes_leaves_the_screen_as_a_whole_one_does(seed: int) -> None:
    random, app = Random(seed), Layered()
    async with app.run_test(size=SIZE) as pilot:
        compositor: Any = app.screen._compositor
        assert isinstance(compositor, SparingCompositor)
        cells: Cells = {}
        draw(compositor.render_full_update(), cells)
        assert cells == whole(compositor)
        for number in range(20):
            for widget in random.sample(list(app.screen.query(Static)), 2):
                words = f"{widget.id} {number} " * random.randrange(1, 9)
                widget.update(words, layout=random.random() < 0.2)
            app.screen.query_one("#scroll").scroll_to(y=random.randrange(6), animate=False)
            regions = [
                Region(random.randrange(40), random.randrange(16), random.randrange(1, 20), 3)
                for _ in range(random.randrange(1, 4))
            ]
            compositor._dirty_regions.update(regions)
            await pilot.pause()
            # What the app drew of it is not seen here: all of it is drawn again, in two parts.
            expected = whole(compositor)
            for region in (Region(0, 0, 40, 7), Region(0, 7, 40, 9)):
                compositor._dirty_regions.add(region)
                draw(compositor.render_partial_update(), cells)
            assert cells == expected


async def test_only_the_lines_that_changed_are_asked_for_and_of_what_lies_on_top() -> None:
    app = Layered()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        asked: list[tuple[str | None, Region]] = []
        for widget in app.screen.query("*"):
            draw_lines = widget.render_lines

            def noted(crop: Region, draw: Any = draw_lines, name: Any = widget.id) -> Any:
                asked.append((name, crop))
                return draw(crop)

            widget.render_lines = noted  # type: ignore[method-assign]
        compositor: Any = app.screen._compositor
        compositor._dirty_regions.add(Region(7, 5, 3, 1))
        assert compositor.render_partial_update() is not None
        assert asked == [("over", Region(0, 2, 20, 1))]
        assert compositor.render_partial_update() is None


class Window(ModalScreen[None]):
    """Something in the middle of a screen that can be seen through."""

    def __init__(self) -> None:
        super().__init__()
        compose_sparingly(self)

    def compose(self) -> ComposeResult:
        yield Static("a window\n" * 3, id="window")


class Windowed(Layered):
    CSS = (
        Layered.CSS
        + """
    Window { align: center middle; background: transparent; }
    Window.dim { background: blue 40%; }
    #window { width: 14; height: 5; border: solid green; }
    """
    )


def plain(cells: Cells) -> dict[tuple[int, int], object]:
    """What a terminal shows of it: of a blank what lies behind it, and nothing of what a click
    does."""
    styles = {place: style or Style() for place, (_, style, _) in cells.items()}
    return {
        place: style.bgcolor if cells[place].text == " " else style.clear_meta_and_links()
        for place, style in styles.items()
    }


@pytest.mark.parametrize("dim", [False, True])
async def test_through_a_screen_the_one_below_is_seen(dim: bool) -> None:
    app = Windowed()
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(2):
            await app.push_screen(Window())
        app.screen.set_class(dim, "dim")
        await pilot.pause()
        compositor: Any = app.screen._compositor
        cells: Cells = {}
        draw(compositor.render_update(full=True, screen_stack=app._background_screens), cells)
        visible_screen_stack.set(app._background_screens)
        assert plain(cells) == plain(whole(compositor))
        assert cells[5, 3].text == "╭", "what lies below is seen beside the window"


async def test_what_lies_below_may_still_be_smaller() -> None:
    """While the terminal is resized."""
    app = Windowed()
    async with app.run_test(size=SIZE) as pilot:
        await app.push_screen(Window())
        await pilot.pause()
        below: Any = app.screen_stack[-2]
        below._compositor.reflow(below, Size(SIZE[0], SIZE[1] - 5))
        compositor: Any = app.screen._compositor
        cells: Cells = {}
        draw(compositor.render_update(full=True, screen_stack=app._background_screens), cells)
        assert len(cells) == SIZE[0] * SIZE[1]


async def test_what_lies_below_is_not_drawn_anew_by_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[object] = []

    def draw_anew(*these: object) -> list[Segment]:
        drawn.append(these)
        return []

    monkeypatch.setattr(BackgroundScreen, "__rich_console__", draw_anew)
    app = Windowed()
    async with app.run_test(size=SIZE) as pilot:
        await app.push_screen(Window())
        await pilot.pause()
        await app.screen.query_one("#window", Static).remove()
        await pilot.pause()
        assert not drawn
