"""A line of text looks as Textual would draw it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.store import RunKey
from xpm_tui.widgets.log.view import LogView
from xpm_tui.widgets.text_line import TextLine

RUN = RunKey("drmm", "20261123-091200")
Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]


def cells(strips: list[Strip]) -> list[list[tuple[str, object]]]:
    """Each cell, with what of its style is seen."""

    def look(segment: Segment) -> object:
        style = segment.style
        assert style is not None
        return style.color, style.bgcolor, style.bold, style.dim, style.underline, style.reverse

    return [[(sign, look(part)) for part in strip for sign in part.text] for strip in strips]


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_the_lines_around_a_log_look_as_textual_draws_them(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs, size: tuple[int, int]
) -> None:
    job = jobs["learn lr=0.01 seed=1"]
    async with drive().at(size) as app:
        assert app.tree.reveal(job.key, RUN)
        await app.settle()
        await app.press("L")
        await app.until(lambda: isinstance(app.app.focused, LogView))
        view = app.app.focused
        assert isinstance(view, LogView)
        await app.until(lambda: view.status.lines is not None)
        lines = [line for line in app.main.query(TextLine) if line.size]
        assert len(lines) == 2
        for line in lines:
            for crop in (Region(0, 0, line.size.width, 1), Region(5, 0, 20, 1)):
                assert cells(line.render_lines(crop)) == cells(Widget.render_lines(line, crop))
