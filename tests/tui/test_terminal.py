"""The app in a real terminal: typed at, and read."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import constants

from tests.patience import PATIENCE
from tests.pseudo_terminal import start
from tests.tui.terminal import Terminal
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.keyboard import ESCAPE_DELAY, tell_escape_soon

Jobs = dict[str, FakeJob]
Open = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens the app in a terminal, in the folder where `ws` is."""
    opened: list[Terminal] = []

    def start(*arguments: str, **options: Any) -> Terminal:
        found = Terminal(*arguments, cwd=tmp_path, **options)
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
    app.until(lambda: "● live" in app.text and app.lines[-1].endswith("? all keys"))
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


def test_esc_is_told_soon_unless_the_user_says_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ESCAPE_DELAY", 60.0)
    tell_escape_soon({"ESCDELAY": "60000"})
    assert constants.ESCAPE_DELAY == 60.0
    tell_escape_soon({})
    assert constants.ESCAPE_DELAY == ESCAPE_DELAY


def test_keys_may_come_in_pieces(terminal: Open, jobs: Jobs) -> None:
    """Over the worst of lines an arrow does; nobody waits for the piece that does not come."""
    app = terminal("ws", set_={"ESCDELAY": "60000"})
    app.until(lambda: "● live" in app.text)

    def cursor() -> list[int]:
        return [number for number, line in enumerate(app.lines) if line.startswith("▌")]

    first = cursor()
    app.type("\x1b")
    time.sleep(0.3)
    app.type("[B")
    app.until(lambda: cursor() == [first[0] + 1])
    app.type("\x1b[B\x1b[A\x1b[A")
    app.until(lambda: cursor() == first)


def test_a_byte_that_is_no_text_is_no_key(terminal: Open, jobs: Jobs) -> None:
    app = terminal("ws")
    app.until(lambda: "● live" in app.text)
    app.send(b"\xff\xc3")
    app.type("/")
    app.type("seed")
    app.until(lambda: "/seed" in app.lines[-2])


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


def test_no_color_means_no_colour_at_all(terminal: Open, jobs: Jobs) -> None:
    app = terminal("ws", set_={"NO_COLOR": "1"})
    app.until(lambda: "● live" in app.text)
    app.type("jjlj ")
    app.until(lambda: "1 marked" in app.text)
    app.type("K")
    app.until(lambda: "nothing to kill" in app.text or "stop the plan" in app.text)
    app.type("\x03\x03")
    assert app.wait() == 0
    styles = re.findall(rb"\x1b\[([0-9;:]*)m", app.raw)
    numbers = {int(part) for style in styles for part in re.split(rb"[;:]", style) if part}
    assert numbers <= {0, 1, 2, 3, 4, 7, 9, 22, 23, 24, 27, 29}
    assert 7 in numbers, "the cursor's row is drawn in reverse video"


def test_ascii_means_ascii_alone(terminal: Open, jobs: Jobs) -> None:
    app = terminal("ws", "--ascii")
    app.until(lambda: "> live" in app.text)
    app.type("jjlj?")
    app.until(lambda: "Keys and actions here" in app.text)
    assert app.text.isascii()
    app.type("\x03\x03")
    assert app.wait() == 0


def test_a_terminal_that_is_closed_ends_the_app(terminal: Open, jobs: Jobs) -> None:
    app = terminal("ws")
    app.until(lambda: "● live" in app.text)
    app.type("jjl")
    app.until(lambda: "● lr=0.01 seed=2" in app.text)
    assert app.take_away() == 128 + signal.SIGHUP
    # Its place was kept: it opens with the same group unfolded.
    app = terminal("ws")
    app.until(lambda: "● lr=0.01 seed=2" in app.text)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(
    terminal: Open, jobs: Jobs, number: signal.Signals
) -> None:
    app = terminal("ws")
    app.until(lambda: "● live" in app.text)
    app.signal(number)
    assert app.wait() == 128 + number
    assert b"back with: xpm-tui ws" in app.raw
    assert b"\x1b[?1049l" in app.raw


def test_an_app_whose_stderr_leads_elsewhere_says_that_it_draws_there(
    tmp_path: Path, jobs: Jobs
) -> None:
    code = "import sys; from xpm_tui.cli import main; sys.exit(main())"
    process, screen = start(
        ["sh", "-c", 'exec "$0" -c "$1" ws 2>errors', sys.executable, code],
        size=(80, 24),
        environment={"PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
    )
    try:
        assert process.wait(PATIENCE) == 2
        said = os.read(screen, 4096).decode()
    finally:
        process.kill()
        os.close(screen)
    assert "the app draws on standard error, which leads elsewhere: leave the 2> out" in said
