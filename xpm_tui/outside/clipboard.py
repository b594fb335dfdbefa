"""Copying out of the terminal: by OSC 52, and through tmux, which swallows OSC 52 by default."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress

TIME_LIMIT = 2.0
"""Seconds that tmux may take."""


def copy_through_tmux(text: str) -> bool:
    """Give the text to tmux, and by it to the terminal it runs in; False outside of tmux."""
    if not os.environ.get("TMUX"):
        return False
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=text.encode("utf-8", "replace"),
            timeout=TIME_LIMIT,
            check=False,
            capture_output=True,
        )
        return done.returncode == 0
    return False
