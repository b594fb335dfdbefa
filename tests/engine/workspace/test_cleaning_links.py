"""Cleaning never follows a link, and never touches what is outside the workspace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, picture
from xpm_engine.errors import OccupiedError, UsageError
from xpm_engine.workspace import cleaning
from xpm_engine.workspace.layout import WorkspacePaths

A = key(1)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with something in it that nobody may touch."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious.txt").write_text("precious")
    return folder


def _clean(workspace: WorkspacePaths) -> cleaning.Transaction:
    return cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))


def test_links_inside_a_job_are_moved_and_purged_as_links(
    workspace: WorkspacePaths, outside: Path
) -> None:
    job = make_job(workspace, A)
    os.symlink(outside, f"{job.root}/data")
    os.symlink("nowhere", f"{job.root}/dangling")
    os.symlink("..", f"{job.root}/up")
    before = picture(job.root)
    done = _clean(workspace)
    cleaning.undo(workspace, done.name)
    assert picture(job.root) == before
    cleaning.purge(workspace, _clean(workspace).name)
    assert (outside / "precious.txt").read_text() == "precious"


def test_sizes_stay_inside(workspace: WorkspacePaths, outside: Path) -> None:
    job = make_job(workspace, A)
    (outside / "huge").write_bytes(b"x" * 3_000_000)
    os.symlink(outside, f"{job.root}/data")
    size = cleaning.measure(workspace, cleaning.plan_removal(workspace, [A])).size
    assert size is not None
    assert size < 1_000_000


def test_a_job_that_is_a_link_stays(workspace: WorkspacePaths, outside: Path) -> None:
    os.makedirs(f"{workspace.jobs}/{A.task}")
    (outside / ".xpm").mkdir()
    before = picture(str(outside))
    os.symlink(outside, workspace.job(A).root)
    done = _clean(workspace)
    assert "symbolic link" in done.left[0].why
    assert picture(str(outside)) == before
    assert os.path.islink(workspace.job(A).root)


def test_a_job_that_became_a_link_after_the_plan_stays(
    workspace: WorkspacePaths, outside: Path
) -> None:
    job = make_job(workspace, A)
    plan = cleaning.plan_removal(workspace, [A])
    os.rename(job.root, outside / "moved")
    os.symlink(outside / "moved", job.root)
    before = picture(str(outside))
    assert cleaning.carry_out(workspace, plan).removals == ()
    assert picture(str(outside)) == before


@pytest.mark.parametrize("part", ["jobs", "task", ".xpm", ".xpm/trash", "inner"])
def test_a_link_anywhere_on_the_way_stops_it(
    workspace: WorkspacePaths, outside: Path, part: str
) -> None:
    job = make_job(workspace, A)
    place = {
        "jobs": workspace.jobs,
        "task": os.path.dirname(job.root),
        ".xpm": workspace.xpm,
        ".xpm/trash": workspace.trash,
        "inner": job.xpm,
    }[part]
    target = outside / "moved"
    if os.path.isdir(place):
        os.rename(place, target)
    else:
        target.mkdir()
        os.makedirs(os.path.dirname(place), exist_ok=True)
    os.symlink(target, place)
    before = picture(str(outside))
    plan = cleaning.plan_removal(workspace, [A])
    assert plan.ready == ()
    if part in ("task", "inner"):
        cleaning.carry_out(workspace, plan)
    else:
        with pytest.raises(OccupiedError, match="symbolic link"):
            cleaning.carry_out(workspace, plan)
    assert picture(str(outside)) == before


def test_a_lock_that_is_a_link_is_not_opened(workspace: WorkspacePaths, outside: Path) -> None:
    job = make_job(workspace, A)
    os.unlink(job.lock)
    os.symlink(outside / "created", job.lock)
    done = _clean(workspace)
    assert "can't open this lock" in done.left[0].why
    assert not (outside / "created").exists()


def test_undo_does_not_move_into_a_link(workspace: WorkspacePaths, outside: Path) -> None:
    job = make_job(workspace, A)
    done = _clean(workspace)
    os.rmdir(os.path.dirname(job.root))
    os.symlink(outside, os.path.dirname(job.root))
    before = picture(str(outside))
    report = cleaning.undo(workspace, done.name)
    assert "symbolic link" in report.kept[0].why
    assert picture(str(outside)) == before


def test_a_transaction_that_is_a_link_is_none(workspace: WorkspacePaths, outside: Path) -> None:
    make_job(workspace, A)
    done = _clean(workspace)
    trash = workspace.transaction(done.name)
    os.rename(trash.root, outside / "moved")
    os.symlink(outside / "moved", trash.root)
    before = picture(str(outside))
    assert cleaning.list_trash(workspace) == ()
    assert cleaning.recover(workspace) == ()
    for verb in (cleaning.undo, cleaning.purge):
        with pytest.raises(UsageError):
            verb(workspace, done.name)
    assert picture(str(outside)) == before


@pytest.mark.parametrize("part", ["jobs", "purging"])
def test_links_inside_the_trash_are_not_followed(
    workspace: WorkspacePaths, outside: Path, part: str
) -> None:
    make_job(workspace, A)
    trash = workspace.transaction(_clean(workspace).name)
    decoy = outside / A.task / A.identifier
    decoy.mkdir(parents=True)
    (decoy / "file").write_text("mine")
    before = picture(str(outside))
    if part == "jobs":
        os.rename(trash.jobs, outside.parent / "away")
    os.symlink(outside, getattr(trash, part))
    Path(trash.lock).touch()
    cleaning.recover(workspace)
    cleaning.list_trash(workspace)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xpm_engine.workspace.cleaning.transactions.PATIENCE", 0.0)
        name = os.path.basename(trash.root)
        if os.path.isdir(trash.root):
            cleaning.undo(workspace, name)
        if os.path.isdir(trash.root):
            cleaning.purge(workspace, name)
    assert picture(str(outside)) == before
