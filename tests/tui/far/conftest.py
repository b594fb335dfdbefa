"""A workspace behind an agent, as if it were on another machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.remote.agents import connect
from tests.engine.remote.conftest import sshd as sshd  # noqa: PLC0414 (a fixture)
from tests.tui.workspaces import FakeWorkspace
from xpm_engine.errors import UnreachableError
from xpm_engine.remote.archive import VERBS
from xpm_engine.remote.connection import Connection
from xpm_tui.far.place import FarPlace, open_place


class Line:
    """The way to the other machine, which a test may cut."""

    def __init__(self) -> None:
        self.is_cut = False
        self.before = ""
        """What the far shell does first."""
        self.connection: Connection | None = None
        self.acting: Connection | None = None

    def dial(self, suspicious: bool) -> Connection:
        if self.is_cut:
            raise UnreachableError("the line is cut")
        self.connection = connect(before=self.before)
        return self.connection

    def verbs(self) -> Connection:
        """The process that has the engine's verbs, and nothing that was installed."""
        if self.is_cut:
            raise UnreachableError("the line is cut")
        self.acting = connect(python=f"{sys.executable} -S", load=VERBS)
        return self.acting

    def cut(self) -> None:
        """Nothing comes through any more."""
        self.is_cut = True
        for connection in (self.connection, self.acting):
            if connection is not None:
                connection.close()

    def heal(self) -> None:
        """The next try succeeds."""
        self.is_cut = False


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def bound_line(line: Line) -> Line:
    """The same, to an agent whom permissions bind, also where root runs the tests."""
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may read everything, and there is no setpriv here")
        line.before = "setpriv --bounding-set=-dac_override,-dac_read_search "
    return line


@pytest.fixture
def open_far(
    workspace: FakeWorkspace, tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], FarPlace]]:
    """Connects to the workspace, as often as a test wants."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("xpm_engine.remote.link.FIRST_PAUSE", 0.05)
    opened: list[FarPlace] = []

    def start() -> FarPlace:
        url = f"ssh://elsewhere{workspace.paths.root}"
        opened.append(
            open_place(url, caches=str(tmp_path / "far"), dial=line.dial, verbs=line.verbs)
        )
        return opened[-1]

    yield start
    for place in opened:
        place.link.close()


@pytest.fixture
def far(open_far: Callable[[], FarPlace]) -> FarPlace:
    """The workspace, behind an agent."""
    return open_far()
