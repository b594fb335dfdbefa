"""The app inside tmux: what reaches other programs, and that the terminal comes back from them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tui.tmux import Tmux
from tests.tui.workspaces import FakeJob, FakeWorkspace

Jobs = dict[str, FakeJob]
Open = Callable[..., Tmux]

EDITOR = """#!/bin/sh
printf '%s\\n' "$@" > {said}
printf 'editing'
read answer
"""


@pytest.fixture
def tmux(workspace: FakeWorkspace) -> Iterator[Open]:
    """Opens the app on `ws` in a tmux, and waits until it has read everything."""
    opened: list[Tmux] = []
    # A socket's path may be 100 bytes long; those of tests are longer.
    with tempfile.TemporaryDirectory(prefix="xpm") as folder:

        def start(*arguments: str, **options: object) -> Tmux:
            cwd = Path(workspace.paths.root).parent
            found = Tmux(Path(folder), "ws", *arguments, cwd=cwd, **options)  # type: ignore[arg-type]
            opened.append(found)
            found.until(lambda: "● live" in found.text())
            return found

        yield start
        for found in opened:
            found.close()


def _to_live(app: Tmux) -> None:
    """To `learn lr=0.01 seed=1`."""
    app.type("j", "j", "l", "j", "j", "j", "j")
    app.until(lambda: any(line.startswith("▌    ● lr=0.01 seed=1") for line in app.lines()))


def test_copying_reaches_the_buffer_of_tmux(tmux: Open, jobs: Jobs) -> None:
    app = tmux()
    _to_live(app)
    app.type("y")
    identifier = jobs["learn lr=0.01 seed=1"].key.identifier
    app.until(lambda: f"copied: {identifier}" in app.text())
    app.until(lambda: app.run("list-buffers"))
    assert app.run("show-buffer") == identifier


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
def test_the_kill_dialog_asks_and_cancel_is_focused(
    tmux: Open, jobs: Jobs, size: tuple[int, int]
) -> None:
    app = tmux(size=size)
    _to_live(app)
    app.type("K")
    app.until(lambda: "Kill 1 job?" in app.text() and "Cancel" in app.text())
    # Keys that were typed ahead, letters, and enter on Cancel: nothing is killed.
    app.type("K", "y")
    app.until(lambda: (app.type("Enter"), "nothing was killed" in app.text())[1])


def test_the_editor_has_the_terminal_and_gives_it_back(
    tmux: Open, workspace: FakeWorkspace, jobs: Jobs, tmp_path: Path
) -> None:
    said, editor = tmp_path / "said", tmp_path / "editor"
    editor.write_text(EDITOR.format(said=said))
    editor.chmod(0o755)
    app = tmux(environment={"VISUAL": str(editor)})
    _to_live(app)
    app.type("o")
    app.until(lambda: "editing" in app.text())
    assert "● live" not in app.text()
    log = workspace.paths.job(jobs["learn lr=0.01 seed=1"].key).stderr(1)
    assert said.read_text().splitlines() == ["+1000000000", log]
    # ctrl+c ends the editor, and the app goes on.
    app.type("C-c")
    app.until(lambda: "● live" in app.text())
    app.type("j")
    app.until(lambda: any(line.startswith("▌    ● lr=0.01 seed=2") for line in app.lines()))


def test_a_shell_in_the_folder(tmux: Open, workspace: FakeWorkspace, jobs: Jobs) -> None:
    app = tmux(environment={"SHELL": "/bin/sh"})
    _to_live(app)
    app.type("!")
    app.until(lambda: "leads back to xpm-tui" in app.text())
    app.type("touch was-here", "Enter", "exit", "Enter")
    app.until(lambda: "● live" in app.text())
    root = Path(workspace.paths.job(jobs["learn lr=0.01 seed=1"].key).root)
    assert (root / "was-here").exists()


def test_escape_and_a_letter_sent_together(tmux: Open, jobs: Jobs) -> None:
    app = tmux()
    app.type("Enter")
    app.until(lambda: "▌  ✗ failed" in app.text())
    app.type("M-j")
    app.until(lambda: any(line.startswith("▌  ▸ index") for line in app.lines()))


def test_the_window_is_resized(tmux: Open, jobs: Jobs) -> None:
    app = tmux()
    for columns, rows in [(120, 40), (80, 24), (40, 10), (132, 50), (80, 24)]:
        app.run("resize-window", "-x", str(columns), "-y", str(rows))
        assert app.size() == f"{columns}x{rows}"
        app.until(lambda rows=rows: _fills(app, rows))
        assert any("drmm" in line for line in app.lines())


def _fills(app: Tmux, rows: int) -> bool:
    lines = app.lines()
    return len(lines) == rows and lines[-1].endswith("all keys")
