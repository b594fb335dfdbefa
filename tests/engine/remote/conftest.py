"""What the tests of other hosts share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.remote.agents import connect
from tests.far.sshd import Sshd
from xpm_engine.remote.connection import Connection


@pytest.fixture
def agent() -> Iterator[Connection]:
    """An agent behind a pipe."""
    made = connect()
    yield made
    made.close()


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """A real server on loopback; `ssh` leads to it."""
    made = Sshd(tmp_path / "sshd")
    monkeypatch.setenv("PATH", str(made.bin), prepend=":")
    yield made
    made.stop()
