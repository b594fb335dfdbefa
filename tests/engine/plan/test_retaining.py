"""Policies that are carried out by themselves: only where the settings say so, and undoable."""

from __future__ import annotations

import os
from pathlib import Path

from tests.engine.folders import picture
from tests.engine.projects import Project
from xpm_engine.verbs.cleaning.obsolete import survey_workspace
from xpm_engine.verbs.cleaning.policies import offer_policies
from xpm_engine.workspace import cleaning, scan
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import PieceKind
from xpm_engine.workspace.settings import load_settings

PLAN = """
class Train(Task):
    lr: Param[float]

    def execute(self) -> None:
        Path("large.bin").write_bytes(b"x" * 5000)
        Path("model.txt").write_text(str(self.lr))
        if self.lr < 0:
            raise ValueError("no")

with experiment("ws", "grid"):
    for lr in sys.argv[1:]:
        if lr == "raise":
            raise ValueError("in the plan")
        Train(lr=float(lr)).submit()
"""

POLICIES = """
[retention]
%s

[retention.drop_files]
"*" = ["*.bin"]
"""


def _prepare(project: Project, switch: str = "after_run = true") -> WorkspacePaths:
    project.write(PLAN)
    os.makedirs(project.workspace.root)
    Path(project.workspace.settings).write_text(POLICIES % switch)
    return project.workspace


def _run(project: Project, *rates: str, code: int = 0) -> str:
    got, said = project.run(*rates)
    assert got == code, said
    return said


def test_nothing_happens_by_itself(project: Project) -> None:
    workspace = _prepare(project, switch="")
    for _ in range(2):
        assert "[retention]" not in _run(project, "0.1", "0.2")
    assert not os.path.lexists(workspace.trash)


def test_where_the_settings_say_so_a_complete_run_ends_with_them(project: Project) -> None:
    workspace = _prepare(project, switch="")
    _run(project, "0.1", "0.2")
    Path(workspace.settings).write_text(POLICIES % "after_run = true")
    (task,) = {key.task for key in scan.list_jobs(workspace)}
    roots = [workspace.job(key).root for key in scan.list_jobs(workspace)]
    before = {root: picture(root) for root in roots}
    shown = offer_policies(
        workspace, survey_workspace(workspace), load_settings(workspace).retention
    )
    said = _run(project, "0.1", "0.2")
    (done,) = cleaning.list_trash(workspace)
    # What was shown before is what was done.
    assert set(done.pieces) == shown.ticked
    assert {piece.kind for piece in done.pieces} == {PieceKind.FILE}
    runs = scan.list_runs(workspace, "grid")
    assert done.cause == f"[retention] after run grid/{runs[-1]}"
    (line,) = [line for line in said.splitlines() if "[retention]" in line]
    assert line.startswith("xpm: [retention] moved 2 files to the trash (")
    assert line.endswith(f"take it back: xpm undo {done.name}")
    log = Path(workspace.run("grid", runs[-1]).log).read_text()
    assert line.removeprefix("xpm: ") in log
    assert {scan.read_job(workspace, key).state for key in scan.list_jobs(workspace)} == {
        JobState.DONE
    }
    assert cleaning.undo(workspace, done.name).kept == ()
    assert {root: picture(root) for root in roots} == before
    assert task.endswith("train")
    # There is nothing left to do, and nothing is said of it.
    Path(workspace.settings).write_text("[retention]\nafter_run = true\nkeep_runs = 5\n")
    assert "[retention]" not in _run(project, "0.1", "0.2")


def test_old_runs_go_with_what_only_they_name(project: Project) -> None:
    workspace = _prepare(project, "after_run = true\nkeep_runs = 1")
    _run(project, "0.1")
    said = _run(project, "0.1")
    assert "moved 1 run to the trash" in said
    assert len(scan.list_runs(workspace, "grid")) == 1


def test_a_run_with_a_failure_or_without_an_end_removes_nothing(project: Project) -> None:
    workspace = _prepare(project)
    assert "[retention]" not in _run(project, "0.1", "-1", code=1)
    assert "[retention]" not in _run(project, "0.1", "raise", code=1)
    assert not os.path.lexists(workspace.trash)


def test_what_goes_wrong_is_said_and_is_no_fault_of_the_run(project: Project) -> None:
    workspace = _prepare(project)
    os.makedirs(workspace.xpm)
    Path(workspace.trash).write_text("in the way")
    said = _run(project, "0.1")
    assert "[retention] could not be carried out: " in said
    assert workspace.trash in said
    assert "1 done" in said
