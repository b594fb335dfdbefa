"""What a dead attempt left goes to the trash and comes back, and the job stays."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.engine.folders import key, make_job, picture
from xpm_engine.workspace import cleaning, scan, tickets
from xpm_engine.workspace.cleaning.recovery import recover
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece

A = key(1)


@pytest.fixture
def job(workspace: WorkspacePaths) -> JobPaths:
    """A finished job with what two attempts left behind."""
    made = make_job(workspace, A)
    for attempt in (1, 2):
        os.makedirs(made.leftovers(attempt))
        with open(f"{made.leftovers(attempt)}/model.bin", "wb") as file:
            file.write(b"x" * 10_000)
    os.symlink("/", f"{made.leftovers(1)}/out")
    return made


def _plan(workspace: WorkspacePaths, *attempts: int) -> cleaning.RemovalPlan:
    plan = cleaning.plan_removal(workspace, [])
    return replace(plan, pieces=tuple(Piece.leftovers(A, attempt) for attempt in attempts))


def test_there_and_back(workspace: WorkspacePaths, job: JobPaths) -> None:
    assert cleaning.list_leftovers(job) == (1, 2)
    before = [picture(job.leftovers(attempt)) for attempt in (1, 2)]
    plan = cleaning.measure(workspace, _plan(workspace, 1))
    assert plan.size is not None
    assert plan.size > 10_000
    done = cleaning.carry_out(workspace, plan)
    assert (done.pieces, done.left) == (plan.pieces, ())
    assert cleaning.list_leftovers(job) == (2,)
    assert scan.read_job(workspace, A).state is JobState.DONE
    (lying,) = cleaning.list_trash(workspace)
    assert (lying.removals, lying.pieces, lying.size) == ((), plan.pieces, plan.size)
    report = cleaning.undo(workspace, done.name)
    assert (report.pieces, report.kept) == (plan.pieces, ())
    assert [picture(job.leftovers(attempt)) for attempt in (1, 2)] == before
    assert os.listdir(workspace.trash) == []


def test_a_purge_takes_them(workspace: WorkspacePaths, job: JobPaths) -> None:
    done = cleaning.carry_out(workspace, _plan(workspace, 1, 2))
    cleaning.purge(workspace, done.name)
    assert os.listdir(workspace.trash) == []
    assert os.path.exists("/")
    assert scan.read_job(workspace, A).state is JobState.DONE


def test_those_of_a_job_that_runs_stay(workspace: WorkspacePaths, job: JobPaths) -> None:
    lock = tickets.hold(job.lock, patience=0.0)
    assert lock is not None
    done = cleaning.carry_out(workspace, _plan(workspace, 1))
    os.close(lock)
    assert done.empty
    assert "the job runs" in done.left[0].why
    assert cleaning.list_leftovers(job) == (1, 2)
    assert os.listdir(workspace.trash) == []


def test_they_stay_in_the_trash_where_the_job_is_gone(
    workspace: WorkspacePaths, job: JobPaths
) -> None:
    done = cleaning.carry_out(workspace, _plan(workspace, 1))
    whole = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [A]))
    report = cleaning.undo(workspace, done.name)
    assert report.pieces == ()
    assert "the job's folder is gone" in report.kept[0].why
    cleaning.undo(workspace, whole.name)
    assert cleaning.undo(workspace, done.name).pieces == (Piece.leftovers(A, 1),)
    assert cleaning.list_leftovers(job) == (1, 2)


def test_newer_ones_are_not_overwritten(workspace: WorkspacePaths, job: JobPaths) -> None:
    done = cleaning.carry_out(workspace, _plan(workspace, 1))
    os.mkdir(job.leftovers(1))
    assert "newer" in cleaning.undo(workspace, done.name).kept[0].why
    assert os.listdir(job.leftovers(1)) == []


def test_a_crash_in_the_middle_is_mended(
    workspace: WorkspacePaths, job: JobPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def crash(source: str, target: str) -> None:
        if source == job.leftovers(2):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", crash)
    with pytest.raises(KeyboardInterrupt):
        cleaning.carry_out(workspace, _plan(workspace, 1, 2))
    monkeypatch.undo()
    assert len(recover(workspace)) == 1
    (lying,) = cleaning.list_trash(workspace)
    assert lying.pieces == (Piece.leftovers(A, 1),)
    cleaning.undo(workspace, lying.name)
    assert cleaning.list_leftovers(job) == (1, 2)


def test_links_are_not_followed(workspace: WorkspacePaths, job: JobPaths) -> None:
    os.rename(job.attempts, f"{workspace.root}/elsewhere")
    os.symlink(f"{workspace.root}/elsewhere", job.attempts)
    assert cleaning.list_leftovers(job) == ()
    done = cleaning.carry_out(workspace, _plan(workspace, 1))
    assert "symbolic link" in done.left[0].why
    assert sorted(os.listdir(f"{workspace.root}/elsewhere")) == ["1", "2"]
