"""What the tests of the workspace share."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_engine.workspace.layout import WorkspacePaths


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    """An empty workspace."""
    return WorkspacePaths(str(tmp_path / "ws"))
