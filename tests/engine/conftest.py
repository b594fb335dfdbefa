"""What the tests of the engine share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.projects import Project, end_all


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A folder for plans; what still runs at the end is ended."""
    made = Project(tmp_path)
    yield made
    end_all(made)
