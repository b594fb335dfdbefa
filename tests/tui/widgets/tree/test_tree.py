"""The tree's rows, as they stand on the screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.driving import NARROW, Driven

pytestmark = pytest.mark.usefixtures("jobs")

Drive = Callable[..., Driven]


async def test_the_rows_are_there_again_after_the_tree_was_hidden(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await app.press("j", "j")
        before = app.lines()[1:13]
        await app.press("enter")
        await app.until(lambda: not app.tree.display)
        app.tree.repaint()
        await app.press("backspace")
        await app.until(lambda: app.tree.display)
        await app.pilot.pause()
        assert app.lines()[1:13] == before
