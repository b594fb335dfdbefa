"""What the tests of other hosts share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.old_python import old_python
from tests.engine.remote.agents import connect
from tests.far.sshd import Sshd
from xpm_engine.remote.connection import Connection


@pytest.fixture(params=["this Python", "an old Python"])
def agent(request: pytest.FixtureRequest) -> Iterator[Connection]:
    """An agent behind a pipe."""
    made = connect(python=old_python() if request.param == "an old Python" else sys.executable)
    yield made
    made.close()


@pytest.fixture
def sshd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """A real server on loopback; `ssh` leads to it."""
    made = Sshd(tmp_path / "sshd")
    monkeypatch.setenv("PATH", str(made.bin), prepend=":")
    yield made
    made.stop()
