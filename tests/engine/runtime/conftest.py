"""What the tests of a job's own process share."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_engine.workspace.layout import WorkspacePaths


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    """A folder that becomes a workspace with its first job."""
    return WorkspacePaths(str(tmp_path / "ws"))
