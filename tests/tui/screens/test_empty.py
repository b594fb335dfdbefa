"""The screen of a workspace in which nothing has run yet."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.screens.empty import EmptyScreen
from xpm_tui.screens.other_workspaces import OtherWorkspaces

Drive = Callable[..., Driven]
both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])


@both_sizes
async def test_says_what_to_do_and_writes_nothing(
    drive: Drive, size: tuple[int, int], workspace: FakeWorkspace
) -> None:
    async with drive().at(size) as app:
        await app.until(lambda: isinstance(app.app.screen, EmptyScreen))
        await app.pilot.pause()
        text = "\n".join(app.lines())
        assert "Nothing has run here yet." in text
        assert "xpm run plan.py" in text
        assert "Try the demo" in text
        await app.press("y")
        assert app.app.clipboard == "xpm run plan.py"
    assert os.listdir(workspace.paths.root) == []


@both_sizes
async def test_many_other_workspaces_take_one_row_and_are_picked_from_a_list(
    drive: Drive, size: tuple[int, int], workspace: FakeWorkspace
) -> None:
    beside = Path(workspace.paths.root).parent
    others = [FakeWorkspace(beside / f"ws{n:02}") for n in range(30)]
    job = FakeJob("learn", "a")
    for other in others:
        other.done(job)
        other.run("drmm", [job])
    async with drive().at(size) as app:
        await app.until(lambda: "30 found near here" in "\n".join(app.lines()))
        text = "\n".join(app.lines())
        assert "Try the demo" in text
        assert "Keys and help" in text
        assert "Open another workspace: 30 found near here" in text
        await app.press("j", "enter")
        await app.until(lambda: isinstance(app.app.screen, OtherWorkspaces))
        await app.until(lambda: any("ws00" in line and "near here" in line for line in app.lines()))
        await app.press("j", "enter")
        await app.until(lambda: app.app.store.workspace.root == others[1].paths.root)


async def test_fills_by_itself(drive: Drive, workspace: FakeWorkspace) -> None:
    async with drive().at(WIDE) as app:
        await app.until(lambda: isinstance(app.app.screen, EmptyScreen))
        job = FakeJob("learn", "a", {"lr": 0.1})
        workspace.start(job)
        workspace.run("first", [job])
        await app.look(lambda: app.app.screen is app.main)
        assert any("first" in line for line in app.tree_lines())
        assert "first" in app.row()


async def test_fills_while_it_looks_for_others(drive: Drive, workspace: FakeWorkspace) -> None:
    """What it finds on a slow disk comes when it lies there no more, and so may its clock."""
    async with drive().at(WIDE) as app:
        await app.until(lambda: isinstance(app.app.screen, EmptyScreen))
        lying = app.app.screen
        assert isinstance(lying, EmptyScreen)
        workspace.run("first", [])
        await app.look(lambda: app.app.screen is app.main)
        await app.until(lambda: not lying.children)
        lying._show_others(("/somewhere/near",), ())
        lying._tick()


async def test_a_foreign_folder_is_called_so(drive: Drive, workspace: FakeWorkspace) -> None:
    for name in ("thesis.tex", "notes.txt"):
        with open(f"{workspace.paths.root}/{name}", "w", encoding="utf-8"):
            pass
    async with drive().at(WIDE) as app:
        await app.until(lambda: isinstance(app.app.screen, EmptyScreen))
        await app.pilot.pause()
        words = " ".join(" ".join(app.lines()).split())
        assert "is no workspace: it holds 2 other things and no experiment" in words


async def test_leaves_by_q(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.until(lambda: isinstance(app.app.screen, EmptyScreen))
        await app.press("q")
        await app.until(lambda: not app.app.is_running)
