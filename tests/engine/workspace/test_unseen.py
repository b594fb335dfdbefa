"""What can't be looked into may need any job: then nobody can tell, and nothing is moved."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, make_run, reference
from tests.privileges import permissions_count
from xpm_engine.verbs.cleaning.obsolete import survey_workspace
from xpm_engine.verbs.cleaning.offers import OfferRow, Section, offer_obsolete
from xpm_engine.workspace import cleaning, scan
from xpm_engine.workspace.cleaning.shared import users_of_shared
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.scan import Unseen, look_for_unseen

A, B = key(1), key(2)
MADE = key(3, "ir.learn")
"""A job that is made from B."""


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    """A failed job and a result that one run references, with what was made from the result."""
    paths = WorkspacePaths(str(tmp_path / "ws"))
    make_job(paths, A, outcome=Outcome.FAILED)
    make_job(paths, B)
    make_job(paths, MADE, dependencies=[B])
    make_run(paths, [reference(A), reference(B), reference(MADE, dependencies=[B])])
    return paths


def _rows(workspace: WorkspacePaths) -> dict[object, OfferRow]:
    with permissions_count():
        found = offer_obsolete(workspace, survey_workspace(workspace))
    return {row.offer: row for row in found.rows}


def _moved_aside(path: str, tmp_path: Path) -> None:
    os.rename(path, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", path)


def _dangling(path: str, tmp_path: Path) -> None:
    """The disk that it lies on is not there."""
    os.rename(path, tmp_path / "elsewhere")
    os.symlink(tmp_path / "unmounted" / "folder", path)


def _unreadable(path: str, _: Path) -> None:
    os.chmod(path, 0)


WAYS: list[Callable[[str, Path], None]] = [_moved_aside, _dangling, _unreadable]


@pytest.mark.parametrize("hide", WAYS)
@pytest.mark.parametrize("part", ["experiment", "run"])
def test_a_run_that_can_not_be_seen_may_need_any_job(
    workspace: WorkspacePaths, tmp_path: Path, hide: Callable[[str, Path], None], part: str
) -> None:
    assert _rows(workspace) == {}
    (run,) = scan.list_runs(workspace, "drmm")
    path = workspace.experiment("drmm") if part == "experiment" else workspace.run("drmm", run).root
    hide(path, tmp_path)
    rows = _rows(workspace)
    assert set(rows) == {A, B, MADE}
    assert all(row.section is Section.CANNOT_TELL and row.refused for row in rows.values())
    assert path in rows[A].why


@pytest.mark.parametrize("hide", WAYS)
def test_a_job_that_can_not_be_seen_may_be_made_from_any_result(
    workspace: WorkspacePaths, tmp_path: Path, hide: Callable[[str, Path], None]
) -> None:
    os.rename(workspace.experiments, f"{workspace.root}/no-experiments")
    path = f"{workspace.jobs}/{MADE.task}"
    hide(path, tmp_path)
    rows = _rows(workspace)
    assert rows[B].section is Section.CANNOT_TELL
    assert path in rows[B].why
    # Nothing is made from a failure.
    assert rows[A].section is Section.FAILED


@pytest.mark.parametrize("part", ["", "/.xpm"])
def test_a_job_that_may_not_be_looked_into_is_not_offered(
    workspace: WorkspacePaths, part: str
) -> None:
    os.rename(workspace.experiments, f"{workspace.root}/no-experiments")
    os.chmod(workspace.job(MADE).root + part, 0)
    rows = _rows(workspace)
    assert rows[MADE].section is Section.CANNOT_TELL
    assert rows[A].section is Section.FAILED


def test_a_plan_that_goes_on_behind_a_link_keeps_its_jobs(
    workspace: WorkspacePaths, tmp_path: Path
) -> None:
    plan = cleaning.plan_removal(workspace, [B])
    make_run(workspace, [reference(B)], experiment="new", plan=PlanState.RUNNING)
    _moved_aside(workspace.experiment("new"), tmp_path)
    done = cleaning.carry_out(workspace, plan)
    assert done.empty
    assert "can't be read" in done.left[0].why
    assert os.path.isdir(workspace.job(B).root)


def test_a_shared_folder_of_a_job_that_can_not_be_seen_is_used(
    workspace: WorkspacePaths, tmp_path: Path
) -> None:
    name = "ir.learn/checkpoints/" + "0" * 32
    os.makedirs(workspace.shared_folder(name))
    assert users_of_shared(workspace) == {}
    _moved_aside(f"{workspace.jobs}/{MADE.task}", tmp_path)
    assert "nobody knows" in users_of_shared(workspace)[name][0]


def test_links_that_hide_nothing(workspace: WorkspacePaths, tmp_path: Path) -> None:
    (run,) = scan.list_runs(workspace, "drmm")
    os.symlink(run, workspace.latest("drmm"))
    os.symlink("20260101-gone", f"{workspace.experiment('drmm')}/best")
    os.symlink("drmm", f"{workspace.experiments}/ranking")
    (tmp_path / "notes.txt").touch()
    os.symlink(tmp_path / "notes.txt", f"{workspace.experiments}/notes")
    os.symlink(tmp_path, f"{workspace.jobs}/No Task")
    os.symlink(workspace.job(A).root, f"{workspace.jobs}/{A.task}/{key(9).identifier}")
    assert look_for_unseen(workspace) == Unseen()
    assert look_for_unseen(WorkspacePaths(str(tmp_path / "nothing"))) == Unseen()


def test_a_workspace_behind_a_link_is_seen(workspace: WorkspacePaths, tmp_path: Path) -> None:
    os.rename(workspace.experiments, tmp_path / "experiments")
    os.symlink(tmp_path / "experiments", workspace.experiments)
    os.symlink(workspace.root, tmp_path / "link")
    seen = WorkspacePaths(str(tmp_path / "link"))
    assert look_for_unseen(seen) == Unseen()
    assert _rows(seen) == {}
