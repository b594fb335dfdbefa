"""What of a result is on another host alone, as it is noted here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.errors import UsageError
from xpm_engine.verbs.fetch import fetch_job
from xpm_engine.verbs.protection import protect
from xpm_engine.workspace import aliases
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.elsewhere import fetched, rest_of, still_there
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.mirror import FarFile

JOB = FakeJob("drmm.learn", "one")


@pytest.fixture
def workspace(tmp_path: Path) -> FakeWorkspace:
    return FakeWorkspace(tmp_path / "here")


@pytest.fixture
def job(workspace: FakeWorkspace, tmp_path: Path) -> JobPaths:
    there = WorkspacePaths(str(tmp_path / "there"))
    return workspace.done_elsewhere(JOB, there, {"model.pt": 300, "sub/log": 20})


def test_what_came_meanwhile_is_not_there_alone(job: JobPaths) -> None:
    found = still_there(job)
    assert found is not None
    assert (found.of, found.left, found.left_size) == ("alpha", 2, 320)
    Path(job.root, "model.pt").write_bytes(bytes(299))
    assert still_there(job) == found, "it has another size: it is not whole"
    Path(job.root, "model.pt").write_bytes(bytes(300))
    found = still_there(job)
    assert found is not None
    assert (found.left, found.left_size, found.there) == (1, 20, (FarFile("sub/log", 20),))
    os.mkdir(f"{job.root}/sub")
    Path(job.root, "sub/log").write_bytes(bytes(20))
    assert still_there(job) is None


def test_an_older_note_tells_only_how_many(job: JobPaths) -> None:
    noted = {"v": 1, "of": "alpha", "root": "/far", "files": 1, "left": 3}
    write_atomic(job.fetched, dumps(noted))
    found = still_there(job)
    assert found is not None
    assert (found.left, found.left_size, found.there) == (3, 0, ())


@pytest.mark.parametrize("there", ["x", [["a"]], [["a", True]], [[1, "a"]], {}])
def test_a_note_that_says_nonsense(job: JobPaths, there: object) -> None:
    noted = {"v": 1, "of": "alpha", "root": "/far", "files": 1, "left": 3, "there": there}
    write_atomic(job.fetched, dumps(noted))
    assert still_there(job) is None


def test_a_note_of_an_earlier_attempt_says_nothing(workspace: FakeWorkspace, job: JobPaths) -> None:
    workspace.done(JOB, attempt=2)
    assert fetched(job) is None
    with pytest.raises(UsageError, match="no result on another host"):
        fetch_job(workspace.paths, JOB.key)


def test_nothing_of_what_runs_again(workspace: FakeWorkspace, job: JobPaths) -> None:
    workspace.start(JOB, attempt=2)
    assert fetched(job) is None


def test_nothing_where_nothing_may_change(workspace: FakeWorkspace, job: JobPaths) -> None:
    with protect(workspace.paths), pytest.raises(UsageError, match="read-only"):
        fetch_job(workspace.paths, JOB.key)


def test_what_stands_for_a_renamed_job(workspace: FakeWorkspace, job: JobPaths) -> None:
    renamed, again = FakeJob("drmm.learner", "one").key, FakeJob("ir.learner", "one").key
    aliases.adopt(workspace.paths, renamed, JOB.key, run="exp/1")
    aliases.adopt(workspace.paths, again, renamed, run="exp/2")
    found = rest_of(workspace.paths, again)
    assert found is not None
    assert (found.of, found.left) == ("alpha", 2)
    assert still_there(workspace.paths.job(again)) is None
    Path(workspace.paths.job(renamed).alias).write_text("{")
    assert rest_of(workspace.paths, again) is None
