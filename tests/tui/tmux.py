"""The app in a tmux of our own: a terminal that is written by others, typed at and read."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.patience import PATIENCE

PAUSE = 0.05

NOT_HANDED_ON = ("TMUX", "NO_COLOR", "COLUMNS", "LINES")
"""The size in the environment would stand for that of the window, however often it changed."""


def need_tmux() -> None:
    """Skip the test on a machine without tmux; fail where it is promised to be there."""
    if shutil.which("tmux") is None:
        if os.environ.get("XPM_REQUIRE_SERVICES"):
            pytest.fail("tmux is not here, though XPM_REQUIRE_SERVICES says that services are")
        pytest.skip("tmux is not here: apt-get install tmux")


class Tmux:
    """`xpm-tui` in the one window of a server of its own."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        cwd: Path,
        size: tuple[int, int] = (80, 24),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """The server's socket is in `folder`."""
        need_tmux()
        self._socket = str(folder / "tmux")
        code = "import sys; from xpm_tui.cli import main; sys.exit(main())"
        given = {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "LC_ALL": "C.UTF-8",
            "XDG_STATE_HOME": str(folder / "state"),
            **(environment or {}),
        }
        words = [
            "env",
            *(f"{name}={value}" for name, value in given.items()),
            sys.executable,
            "-c",
            code,
            *arguments,
        ]
        columns, rows = map(str, size)
        window = ["-x", columns, "-y", rows, "-c", str(cwd), shlex.join(words)]
        self.run("-f", "/dev/null", "new-session", "-d", *window)

    def run(self, *words: str) -> str:
        """A command of tmux's; what it printed."""
        done = subprocess.run(
            ["tmux", "-S", self._socket, *words],
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env={name: value for name, value in os.environ.items() if name not in NOT_HANDED_ON},
        )
        return done.stdout

    def type(self, *keys: str) -> None:
        """Press keys, by tmux's names of them."""
        self.run("send-keys", *keys)

    def size(self) -> str:
        """Columns and rows of the window."""
        return self.run("display-message", "-p", "#{window_width}x#{window_height}").strip()

    def lines(self) -> list[str]:
        """The screen."""
        return [line.rstrip() for line in self.run("capture-pane", "-p").splitlines()]

    def text(self) -> str:
        """The screen."""
        return "\n".join(self.lines())

    def until(self, true: Callable[[], object]) -> None:
        """Wait for something to become true."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, f"it did not come:\n{self.text()}\n{self.size()}"
            time.sleep(PAUSE)

    def close(self) -> None:
        """End the server, and the app with it."""
        subprocess.run(
            ["tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True
        )
