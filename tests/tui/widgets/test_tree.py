"""The tree's rows: what stands there after the tree was hidden."""

from __future__ import annotations

from collections.abc import Callable

from tests.tui.driving import NARROW, Driven

Drive = Callable[..., Driven]


async def test_the_rows_are_there_again_after_the_tree_was_hidden(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await app.press("j", "j", "l", "j")
        before = app.tree_lines()
        await app.press("L")
        await app.until(lambda: not app.tree.display)
        app.tree.repaint()
        await app.press("backspace")
        await app.until(lambda: app.tree.display)
        assert app.tree_lines() == before
