"""An interpreter as old as a host may have: the portable set must run there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

OLD = ("3.8", "3.9", "3.10")
"""The oldest first."""


def old_python() -> str:
    """The path of the oldest interpreter here that a host may have; skips the test without one."""
    found = _find()
    if not found:
        pytest.skip(f"no Python {OLD[0]} to {OLD[-1]} here; vermin has looked at the code")
    return found


@cache
def _find() -> str:
    return next(
        (path for version in OLD for path in _candidates(version) if _is(path, version)), ""
    )


def _candidates(version: str) -> Iterator[str]:
    installed = shutil.which(f"python{version}")
    if installed:
        yield installed
    pyenv = shutil.which("pyenv")
    if pyenv:
        # Its shims run nothing that was not chosen for the folder.
        versions = Path(pyenv).resolve().parent.parent / "versions"
        yield from (str(path) for path in versions.glob(f"{version}.*/bin/python3"))


def _is(path: str, version: str) -> bool:
    says = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([path, "-c", says], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version
