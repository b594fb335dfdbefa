"""A frame is drawn as soon as there is something to draw, and never one right after the other."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

import pytest
from rich.console import RenderableType
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from xpm_tui.look.compositor import compose_sparingly
from xpm_tui.look.pace import LEAST, Pace


class Counting(Screen[None]):
    def __init__(self) -> None:
        super().__init__()
        compose_sparingly(self)

    def compose(self) -> ComposeResult:
        yield Static("0", id="number")


class Counted(App[None]):
    """Notes when it drew, and what."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[float] = []

    def get_default_screen(self) -> Counting:
        return Counting()

    def count(self, number: int) -> None:
        self.screen.query_one("#number", Static).update(str(number))

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)  # pyright: ignore[reportUnknownMemberType]
        if renderable is not None:
            self.drawn.append(monotonic())


def test_it_takes_the_place_of_textuals_clock() -> None:
    """Under another name it would be passed over without a word."""
    screen: Any = Counting()
    assert isinstance(screen._update_timer, Pace)


async def test_what_is_changed_in_one_go_is_one_frame() -> None:
    app = Counted()
    async with app.run_test() as pilot:
        await pilot.pause()
        app.drawn.clear()
        for number in range(100):
            app.count(number)
        while not app.drawn:
            await asyncio.sleep(0)
        await pilot.pause(10 * LEAST)
        assert len(app.drawn) == 1


async def test_frames_are_apart() -> None:
    app = Counted()
    async with app.run_test() as pilot:
        await pilot.pause()
        app.drawn.clear()
        number = 0
        while len(app.drawn) < 5:
            number += 1
            app.count(number)
            await asyncio.sleep(0)
        apart = [after - before for before, after in zip(app.drawn, app.drawn[1:], strict=False)]
        assert min(apart) >= LEAST


async def test_a_screen_that_can_not_be_drawn_ends_the_app_with_what_went_wrong() -> None:
    app = Counted()

    def fail() -> None:
        raise ZeroDivisionError("drawn")

    with pytest.raises(ZeroDivisionError, match="drawn"):
        async with app.run_test() as pilot:
            await pilot.pause()
            app.screen._on_timer_update = fail  # type: ignore[method-assign]
            app.count(1)
            await pilot.pause(10 * LEAST)
