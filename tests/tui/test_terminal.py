"""The app in a real terminal: typed at, and read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.terminal import Terminal
from tests.tui.workspaces import FakeJob, FakeWorkspace

Jobs = dict[str, FakeJob]
Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens the app in a terminal, in the folder where `ws` is."""
    opened: list[Terminal] = []

    def start(*arguments: str, size: tuple[int, int] = (80, 24)) -> Terminal:
        found = Terminal(*arguments, cwd=tmp_path, size=size)
        opened.append(found)
        return found

    yield start
    for found in opened:
        found.close()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_typing_and_reading(
    terminal: Open, workspace: FakeWorkspace, jobs: Jobs, size: tuple[int, int]
) -> None:
    app = terminal("ws", size=size)
    app.until(lambda: "● live" in app.text)
    assert app.lines[-1].endswith("? all keys")
    app.type("jjl")
    app.until(lambda: "● lr=0.01 seed=2" in app.text)
    app.type("t")
    app.until(lambda: "by tag" in app.text)
    app.type("ttt")
    app.until(lambda: "by task" in app.text)
    workspace.done(jobs["learn lr=0.01 seed=2"], run="drmm/20261123-091200", ended=1)
    app.until(lambda: "✓ lr=0.01 seed=2" in app.text)
    app.type("q")
    assert app.wait() == 0
    assert "9 done, 2 running, 7 waiting, 4 failed (3 causes); back with: xpm-tui ws" in " ".join(
        app.text.split("\n")
    )


def test_typed_ahead_keys_reach_the_field(terminal: Open, jobs: Jobs) -> None:
    app = terminal("ws")
    app.until(lambda: "● live" in app.text)
    app.type("/seed=2 state:running\r")
    app.until(lambda: "/seed=2 state:running" in app.lines[-2] and "● lr=0.01 seed=2" in app.text)
    app.type("\x1b")
    app.until(lambda: "ablation" in app.text)


def test_twice_ctrl_c_leaves(terminal: Open, jobs: Jobs) -> None:
    app = terminal("ws")
    app.until(lambda: "● live" in app.text)
    app.type("\x03")
    app.until(lambda: "ctrl+c again leaves" in app.text)
    app.type("\x03")
    assert app.wait() == 0


def test_without_a_path_the_folder_one_is_in(terminal: Open, workspace: FakeWorkspace) -> None:
    app = terminal()
    app.until(lambda: "Nothing has run here yet." in app.text)
    app.type("q")
    assert app.wait() == 0
    assert "nothing has run; back with: xpm-tui" in app.text
