"""Reading the tree: records that say what is there, and never raise or write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.folders import make_job
from tests.engine.making import KEY, dead_process, end, launch, start
from xpm_engine.errors import NotAWorkspaceError, StorageError
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome, ReasonKind
from xpm_engine.workspace.records.states import JobState


def _snapshot(folder: str) -> list[tuple[str, int]]:
    return sorted(
        (path, os.lstat(path).st_mtime_ns)
        for where, folders, files in os.walk(folder)
        for path in (os.path.join(where, name) for name in [*folders, *files])
    )


def test_an_absent_job_was_not_submitted(workspace: WorkspacePaths) -> None:
    assert scan.read_job(workspace, KEY).state is JobState.NOT_SUBMITTED
    assert not os.path.exists(workspace.root)


def test_each_ticket_changes_the_state(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch(tags={"lr": 0.1}))
    assert scan.read_job(workspace, KEY).state is JobState.QUEUED
    assert scan.read_job(workspace, KEY).tags == {"lr": 0.1}
    tickets.claim_start(job, 1, start())
    assert scan.read_job(workspace, KEY).state is JobState.RUNNING
    tickets.record_end(job, 1, end(Outcome.FAILED, exit_code=3))
    record = scan.read_job(workspace, KEY)
    assert (record.state, record.exit_code, record.attempt) == (JobState.FAILED, 3, 1)
    tickets.claim_launch(job, launch(attempt=2))
    assert scan.read_job(workspace, KEY).state is JobState.QUEUED


def test_a_viewer_shows_a_death_and_records_nothing(workspace: WorkspacePaths) -> None:
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start(by=dead_process()))
    before = _snapshot(workspace.root)
    record = scan.read_job(workspace, KEY)
    assert record.state is JobState.DIED
    assert record.reason is not None
    assert record.reason.kind is ReasonKind.NO_EXIT_RECORD
    assert _snapshot(workspace.root) == before


@pytest.mark.parametrize("name", ["1.launch", "1.start", "1.end"])
@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b'{"v":', b"[]", b'{"v": 7}', b"null", None])
def test_damage_is_a_state_that_names_the_file(
    workspace: WorkspacePaths, name: str, data: bytes | None
) -> None:
    """None: the file is gone."""
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    tickets.record_end(job, 1, end())
    if data is None:
        os.unlink(job.ticket(1, name[2:]))
    else:
        Path(job.xpm, name).write_bytes(data)
    record = scan.read_job(workspace, KEY)
    if data is None and name == "1.end":
        assert record.state is JobState.RUNNING
    elif name == "1.end" or record.state is not JobState.DONE:
        assert record.state is JobState.UNREADABLE
        assert name in record.problem


def test_a_damaged_summary_changes_nothing(workspace: WorkspacePaths) -> None:
    """job.json is a summary: the tickets decide."""
    job = workspace.job(KEY)
    tickets.claim_launch(job, launch())
    tickets.claim_start(job, 1, start())
    tickets.record_end(job, 1, end())
    for data in (b"", b"{", b'{"v":1,"outcome":"failed","attempt":1}'):
        Path(job.summary).write_bytes(data)
        assert scan.read_job(workspace, KEY).state is JobState.DONE


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b'{"v":', b'{"v": 7}', None])
def test_an_end_that_can_not_be_read_is_no_end_whatever_the_summary_says(
    workspace: WorkspacePaths, data: bytes | None
) -> None:
    job = make_job(workspace, KEY, by=dead_process())
    assert scan.read_job(workspace, KEY).state is JobState.DONE
    path = Path(job.end(1))
    path.unlink()
    if data is None:
        assert scan.read_job(workspace, KEY).state is JobState.DIED
        return
    path.write_bytes(data)
    record = scan.read_job(workspace, KEY)
    assert record.state is JobState.UNREADABLE
    assert "1.end" in record.problem


def test_an_end_outweighs_a_summary_that_says_otherwise(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, KEY, outcome=Outcome.FAILED)
    summary = Path(job.summary)
    summary.write_text(summary.read_text().replace('"failed"', '"done"'))
    assert scan.read_job(workspace, KEY).state is JobState.FAILED


def test_only_real_folders_with_our_names_are_jobs(workspace: WorkspacePaths) -> None:
    good = workspace.job(KEY).root
    os.makedirs(good)
    for name in ("not an id", "A" * 32, "f" * 31):
        os.makedirs(f"{workspace.jobs}/{KEY.task}/{name}")
    os.makedirs(f"{workspace.jobs}/a..b/{'a' * 32}")
    os.symlink(good, f"{workspace.jobs}/{KEY.task}/{'b' * 32}")
    Path(f"{workspace.jobs}/file").write_text("")
    assert list(scan.list_jobs(workspace)) == [KEY]


def test_the_latest_link_and_foreign_folders_are_no_runs(workspace: WorkspacePaths) -> None:
    os.makedirs(workspace.run("exp", "20261123-1").root)
    os.makedirs(workspace.experiment("[bad]"))
    os.symlink("20261123-1", workspace.latest("exp"))
    assert scan.list_experiments(workspace) == ["exp"]
    assert scan.list_runs(workspace, "exp") == ["20261123-1"]


def test_a_run_without_its_record_is_told(workspace: WorkspacePaths) -> None:
    paths = workspace.run("exp", "20261123-1")
    os.makedirs(paths.root)
    view = scan.read_run(workspace, "exp", "20261123-1")
    assert view.record is None
    assert paths.record in view.problem
    Path(paths.record).write_text("{")
    assert "truncated" in scan.read_run(workspace, "exp", "20261123-1").problem


def test_what_is_no_workspace_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkspaceError, match="no such folder"):
        scan.check_workspace(str(tmp_path / "absent"))
    (tmp_path / "file").write_text("")
    with pytest.raises(NotAWorkspaceError, match="is a file"):
        scan.check_workspace(str(tmp_path / "file"))
    with pytest.raises(StorageError):
        scan.check_workspace(str(tmp_path / "file" / "below"))
    assert scan.check_workspace(str(tmp_path)).root == str(tmp_path)


def test_progress_of_another_attempt_is_not_shown(workspace: WorkspacePaths) -> None:
    job = workspace.job(JobKey("t", "0" * 32))
    os.makedirs(job.xpm)
    Path(job.progress).write_text(
        '{"v":1,"attempt":1,"at":"","seconds":3,"levels":[{"fraction":7,"text":"x"}]}'
    )
    progress = scan.read_progress(job, 1)
    assert progress is not None
    assert progress.fraction == 1.0
    assert scan.read_progress(job, 2) is None
