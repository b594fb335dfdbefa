"""What tests of launchers share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.projects import Project
from tests.far.plans import Far
from tests.far.stub import StubHost


@pytest.fixture
def far(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Far:
    """A project whose plans may use the host `alpha`."""
    host = StubHost(tmp_path / "host")
    monkeypatch.setenv("PATH", str(host.bin), prepend=":")
    return Far(project, host)
