"""A clean begins on a full disk too: in the room that was kept for its journal."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, picture
from xpm_engine.errors import StorageError
from xpm_engine.workspace import cleaning, reserve
from xpm_engine.workspace.cleaning import moves
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.reserve import ROOM, keep_room

A = key(1)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkspacePaths]:
    """A workspace with a job on a small disk of its own, in which room was kept."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can make a small file system")
    monkeypatch.setattr(reserve, "PLENTY", ROOM)
    workspace = WorkspacePaths(str(tmp_path / "ws"))
    make_job(workspace, A)
    Path(f"{workspace.job(A).root}/model").write_bytes(b"x" * ROOM)
    keep_room(workspace)
    assert os.stat(workspace.reserve).st_size == ROOM
    yield workspace
    subprocess.run(["umount", str(tmp_path)], check=True)


def _fill(workspace: WorkspacePaths) -> None:
    """Until not a byte more goes in."""
    with (
        pytest.raises(OSError, match="No space"),
        Path(workspace.root, "filler").open("wb", buffering=0) as file,
    ):
        while True:
            file.write(b"x" * 1000)


def test_a_full_disk_is_cleaned_purged_and_keeps_room_again(small: WorkspacePaths) -> None:
    plan = cleaning.plan_removal(small, [A])
    _fill(small)
    done = cleaning.carry_out(small, plan)
    assert [gone.key for gone in done.removals] == [A]
    assert not os.path.lexists(small.reserve)
    cleaning.purge(small, done.name)
    assert os.stat(small.reserve).st_size == ROOM


def test_what_a_full_disk_moved_comes_back(small: WorkspacePaths) -> None:
    before = picture(small.job(A).root)
    plan = cleaning.plan_removal(small, [A])
    _fill(small)
    cleaning.undo(small, cleaning.carry_out(small, plan).name)
    assert picture(small.job(A).root) == before


def test_without_it_nothing_is_touched(small: WorkspacePaths) -> None:
    before = picture(small.job(A).root)
    plan = cleaning.plan_removal(small, [A])
    os.unlink(small.reserve)
    _fill(small)
    with pytest.raises(StorageError, match="No space") as caught:
        cleaning.carry_out(small, plan)
    assert "--empty-trash" in f"{caught.value.hint}"
    assert picture(small.job(A).root) == before
    assert cleaning.list_trash(small) == ()


def test_where_the_journal_needs_more_nothing_is_touched(
    small: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = picture(small.job(A).root)
    plan = cleaning.plan_removal(small, [A])
    Path(small.reserve).write_bytes(b"x")
    _fill(small)
    monkeypatch.setattr(moves, "listing_lines", lambda *_: [{"a": "x" * ROOM}])
    with pytest.raises(StorageError, match="No space"):
        cleaning.carry_out(small, plan)
    monkeypatch.undo()
    assert picture(small.job(A).root) == before
    assert os.listdir(small.trash) == []


def test_no_room_is_taken_from_a_disk_that_is_nearly_full(
    small: WorkspacePaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.unlink(small.reserve)
    monkeypatch.setattr(reserve, "PLENTY", 64 * ROOM)
    keep_room(small)
    assert not os.path.lexists(small.reserve)


def test_it_is_not_made_through_a_link(workspace: WorkspacePaths, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    os.mkdir(workspace.root)
    os.symlink(tmp_path / "outside", workspace.xpm)
    keep_room(workspace)
    assert os.listdir(tmp_path / "outside") == []
    keep_room(WorkspacePaths(str(tmp_path / "nothing")))
    assert not (tmp_path / "nothing").exists()
