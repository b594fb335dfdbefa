"""A terminal of our own: the command runs in it, a test types and reads the screen."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pyte

from tests.patience import PATIENCE
from tests.pseudo_terminal import start


class Terminal:
    """`xpm-tui` in a pseudo-terminal, drawn by pyte."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        size: tuple[int, int] = (80, 24),
        set_: Mapping[str, str] | None = None,
    ) -> None:
        """`set_` are variables of its environment."""
        columns, rows = size
        self.raw = b""
        """All that was sent to the terminal."""
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        code = "import sys; from xpm_tui.cli import main; sys.exit(main())"
        self._process, self._fd = start(
            [sys.executable, "-c", code, *arguments],
            size=size,
            environment={"PYTHONPATH": os.pathsep.join(sys.path), **(set_ or {})},
            cwd=cwd,
        )

    def type(self, keys: str) -> None:
        """Send keys as a terminal would."""
        self.send(keys.encode())

    def send(self, data: bytes) -> None:
        """Send what need not be text."""
        os.write(self._fd, data)

    @property
    def lines(self) -> list[str]:
        """The screen."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def until(self, true: Callable[[], object]) -> None:
        """Read what the app draws until something is true."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, "it did not come:\n" + self.text
            self._read()

    def wait(self) -> int:
        """Wait for the command to end; its exit code."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def signal(self, number: int) -> None:
        """Send the command a signal."""
        self._process.send_signal(number)

    def take_away(self) -> int:
        """Close the terminal under the command, and wait for it to end; its exit code."""
        os.close(self._fd)
        self._fd = -1
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        """End what is left."""
        self._process.kill()
        self._process.wait()
        if self._fd >= 0:
            os.close(self._fd)

    def _read(self) -> bool:
        """False when the other side is gone."""
        if not select.select([self._fd], [], [], 0.1)[0]:
            return True
        data = b""
        with suppress(OSError):
            data = os.read(self._fd, 65_536)
        self.raw += data
        self._stream.feed(data)
        return bool(data)
