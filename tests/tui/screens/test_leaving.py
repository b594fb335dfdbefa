"""A screen that goes: what was on its way to it comes too late, and is not drawn."""

from __future__ import annotations

from collections.abc import Callable

from tests.tui.driving import WIDE, Driven
from xpm_tui.widgets.frame.title_bar import TitleBar
from xpm_tui.widgets.tree.tree import Tree


async def test_a_screen_that_goes_is_not_ready_while_parts_of_it_are_left(
    drive: Callable[..., Driven],
) -> None:
    async with drive().at(WIDE) as app:
        main = app.main
        assert main.ready
        leaving = main.remove()
        assert main.query(Tree)
        assert main.query(TitleBar)
        assert not main.ready
        await leaving
