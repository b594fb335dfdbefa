"""Agents on this machine, behind a pipe instead of ssh."""

from __future__ import annotations

import sys

from xpm_engine.errors import RemoteError, XpmError
from xpm_engine.remote import archive
from xpm_engine.remote.archive import Load
from xpm_engine.remote.connection import Connection


def connect(
    *, python: str = sys.executable, before: str = "", load: Load = archive.AGENT
) -> Connection:
    """Start an agent, or what else is sent; `before` is what the far shell does first."""
    command = before + archive.COMMAND.replace("python3", python, 1)
    return Connection(["/bin/sh", "-c", command], name="here", explain=explain, load=load)


def explain(code: int | None, said: str) -> XpmError:
    return RemoteError(f"ended with {code}: {said}")
