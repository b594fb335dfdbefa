"""Which workspace a command means."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpm_engine.errors import NotAWorkspaceError
from xpm_engine.verbs.places import find_workspace


def _workspace(path: Path) -> Path:
    (path / "jobs").mkdir(parents=True)
    return path


def test_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(_workspace(tmp_path / "ws"))
    assert find_workspace(None).root == str(tmp_path / "ws")


def test_the_only_one_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workspace(tmp_path / "ws")
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_workspace(None).root == str(tmp_path / "ws")


def test_one_of_several_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workspace(tmp_path / "one")
    _workspace(tmp_path / "two")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotAWorkspaceError, match=r"one, two(.|\n)*-w one"):
        find_workspace(None)


def test_the_one_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = _workspace(tmp_path / "ws") / "jobs" / "ir.bm25"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert find_workspace(None).root == str(tmp_path / "ws")


def test_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotAWorkspaceError, match="-w path/to/workspace"):
        find_workspace(None)


def test_a_given_one_is_checked(tmp_path: Path) -> None:
    assert find_workspace(str(_workspace(tmp_path / "ws"))).root == str(tmp_path / "ws")
    (tmp_path / "empty").mkdir()
    assert find_workspace(str(tmp_path / "empty")).root == str(tmp_path / "empty")
    (tmp_path / "other" / "photos").mkdir(parents=True)
    (tmp_path / "file").touch()
    for name in ("other", "file", "missing"):
        with pytest.raises(NotAWorkspaceError):
            find_workspace(str(tmp_path / name))
