"""What is mounted inside of a job's folder is never moved with it, and never emptied."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job
from xpm_engine.errors import StorageError
from xpm_engine.workspace import cleaning
from xpm_engine.workspace.cleaning import mounts
from xpm_engine.workspace.cleaning.mounts import mounts_below
from xpm_engine.workspace.cleaning.trees import delete_tree
from xpm_engine.workspace.layout import WorkspacePaths

A, B = key(1), key(2)

Mount = Callable[[str], Path]


@pytest.fixture(params=["another disk", "a folder of this disk"])
def mount(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mount]:
    """Mounts something precious at a path; what comes back is the file in it."""
    precious = tmp_path / "precious"
    precious.mkdir()
    other = request.param == "another disk"

    with ExitStack() as stack:

        def put(path: str) -> Path:
            os.makedirs(path)
            what = ["-t", "tmpfs", "tmpfs"] if other else ["--bind", str(precious)]
            command = ["mount", *what, path]
            if os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
                pytest.skip("only root can mount something")
            stack.callback(subprocess.run, ["umount", path], check=True)
            file = Path(path, "data")
            file.write_text("precious")
            return file

        yield put


def test_a_job_with_a_mount_in_it_stays(workspace: WorkspacePaths, mount: Mount) -> None:
    make_job(workspace, B)
    file = mount(f"{make_job(workspace, A).root}/data set")
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A, B]))
    assert [gone.key for gone in done.removals] == [B]
    assert f"mounted at {file.parent}" in cleaning.plan_removal(workspace, [A]).rows[0].refused
    assert file.read_text() == "precious"


def test_what_was_mounted_in_the_trash_is_not_purged(
    workspace: WorkspacePaths, mount: Mount
) -> None:
    make_job(workspace, A)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    file = mount(f"{workspace.transaction(done.name).job(A).root}/later")
    with pytest.raises(StorageError, match="mounted"):
        cleaning.purge(workspace, done.name)
    assert file.read_text() == "precious"
    assert len(cleaning.list_trash(workspace)) == 1


@pytest.mark.parametrize("mount", ["another disk"], indirect=True)
def test_another_disk_is_seen_without_the_systems_list(
    workspace: WorkspacePaths, mount: Mount, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(workspace, A)
    file = mount(f"{job.root}/data")
    monkeypatch.setattr(mounts, "MOUNTS", "/nonexistent")
    with pytest.raises(StorageError, match="mounted"):
        delete_tree(job.root)
    assert file.read_text() == "precious"


@pytest.mark.parametrize("mount", ["another disk"], indirect=True)
def test_what_is_mounted_takes_no_room_of_this_disk(
    workspace: WorkspacePaths, mount: Mount
) -> None:
    file = mount(f"{make_job(workspace, A).root}/data")
    file.write_bytes(b"x" * 3_000_000)
    size = cleaning.measure(workspace, cleaning.plan_removal(workspace, [A])).rows[0].size
    assert size is not None
    assert size < 1_000_000


def test_how_the_system_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "mountinfo"
    root = os.path.realpath(tmp_path)
    told.write_text(
        f"36 35 98:0 / {root} rw - ext4 /dev/sda rw\n"
        f"37 36 0:41 / {root}/a\\040b rw - tmpfs tmpfs rw\n"
        f"38 36 0:42 / {root}-other rw - tmpfs tmpfs rw\n"
        "damaged\n"
    )
    monkeypatch.setattr(mounts, "MOUNTS", str(told))
    assert mounts_below(str(tmp_path)) == (f"{root}/a b",)
    monkeypatch.setattr(mounts, "MOUNTS", str(tmp_path / "absent"))
    assert mounts_below(str(tmp_path)) == ()
