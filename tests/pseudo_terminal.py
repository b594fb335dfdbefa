"""A command in a pseudo-terminal, for tests and measurements: what it writes can be read."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

UNSET = ("TMUX", "NO_COLOR", "COLUMNS", "LINES")
"""Variables of the terminal around, which would tell it something else."""


def start(
    command: Sequence[str],
    *,
    size: tuple[int, int],
    environment: Mapping[str, str],
    unset: Sequence[str] = (),
    cwd: Path | None = None,
) -> tuple[subprocess.Popen[bytes], int]:
    """Start it in columns × rows; the process, and what its terminal is read from and written to.

    `environment` is added to ours, without `UNSET` and `unset`.
    """
    columns, rows = size
    near, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    inherited = {key: value for key, value in os.environ.items() if key not in (*UNSET, *unset)}
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**inherited, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment},
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
    )
    os.close(other)
    return process, near
