"""Asking git, which may be absent, slow, or not know the folder."""

from __future__ import annotations

import subprocess


def ask_git(folder: str, *arguments: str, patience: float) -> bytes | None:
    """What ``git ARGUMENTS`` says in a folder within so many seconds; None for no answer."""
    try:
        done = subprocess.run(
            ["git", "-C", folder or ".", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
