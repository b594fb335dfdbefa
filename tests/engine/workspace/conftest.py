"""What the tests of the workspace share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_engine.workspace.layout import WorkspacePaths


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    """An empty workspace."""
    return WorkspacePaths(str(tmp_path / "ws"))


@pytest.fixture
def unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the disk: where there are hundreds of workspaces to make."""

    def nothing(_: int) -> None: ...

    monkeypatch.setattr(os, "fsync", nothing)
