"""A checkpoint is there whole, or as it was before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpm_engine.runtime.checkpoint import checkpoint


def test_it_takes_its_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "model.pt"
    target.write_text("old")
    with checkpoint(target) as path:
        path.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["model.pt"]


def test_what_was_there_stays_where_the_block_raises(tmp_path: Path) -> None:
    target = tmp_path / "model.pt"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), checkpoint(str(target)) as path:
        path.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["model.pt"]


def test_a_block_that_writes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), checkpoint(tmp_path / "model.pt"):
        pass
