"""What the tests of the verbs share."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_engine.workspace.layout import WorkspacePaths


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    """A workspace with nothing in it yet."""
    paths = WorkspacePaths(str(tmp_path / "ws"))
    Path(paths.jobs).mkdir(parents=True)
    return paths
