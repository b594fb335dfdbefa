"""Agents on this machine, behind a pipe instead of ssh."""

from __future__ import annotations

import sys

from xpm_engine.errors import RemoteError, XpmError
from xpm_engine.remote import archive
from xpm_engine.remote.connection import Connection


def connect(*, python: str = sys.executable, before: str = "") -> Connection:
    """Start an agent; `before` is what the far shell does first."""
    command = before + archive.COMMAND.replace("python3", python, 1)
    return Connection(["/bin/sh", "-c", command], name="here", explain=explain)


def explain(code: int | None, said: str) -> XpmError:
    return RemoteError(f"ended with {code}: {said}")
