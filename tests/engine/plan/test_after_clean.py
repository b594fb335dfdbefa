"""A plan that meets a cleaner: one that died is mended, what was cleaned runs again."""

from __future__ import annotations

import subprocess
import sys

from tests.engine.projects import Project
from xpm_engine.workspace import cleaning, scan
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState

PLAN = """
with experiment("ws", "two"):
    for number in (1, 2):
        Work(name=number).submit()
"""

CRASH = """
import os, sys
from xpm_engine.workspace import cleaning, scan
from xpm_engine.workspace.layout import WorkspacePaths

workspace = WorkspacePaths.at(sys.argv[1])
rename, moved = os.rename, []

def once(source, target):
    if moved:
        os._exit(9)
    moved.append(source)
    rename(source, target)

os.rename = once
plan = cleaning.plan_removal(workspace, sorted(scan.list_jobs(workspace)))
cleaning.carry_out(workspace, plan)
"""


def test_a_cleaner_that_died_does_not_hold_up_a_plan(project: Project) -> None:
    project.write(PLAN)
    assert project.run()[0] == 0
    command = [sys.executable, "-c", CRASH, project.workspace.root]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9
    states = sorted(scan.read_job(project.workspace, key).state.value for key in _jobs(project))
    assert states == ["cleaning"]
    code, said = project.run()
    assert code == 0, said
    assert "2 done (1 reused)" in said
    assert sorted(project.ledger()).count("begin 1") + project.ledger().count("begin 2") == 3
    (left,) = cleaning.list_trash(project.workspace)
    assert not left.unfinished
    assert cleaning.undo(project.workspace, left.name).returned == ()


def test_a_job_that_was_brought_back_is_reused(project: Project) -> None:
    project.write(PLAN)
    assert project.run()[0] == 0
    plan = cleaning.plan_removal(project.workspace, _jobs(project))
    done = cleaning.carry_out(project.workspace, plan)
    assert len(done.removals) == 2
    cleaning.undo(project.workspace, done.name)
    _, said = project.run()
    assert "2 done (2 reused)" in said
    project.check_ledger()


def test_what_was_cleaned_runs_again(project: Project) -> None:
    project.write(PLAN)
    assert project.run()[0] == 0
    cleaning.carry_out(
        project.workspace, cleaning.plan_removal(project.workspace, _jobs(project)[:1])
    )
    _, said = project.run()
    assert "2 done (1 reused)" in said
    states = {scan.read_job(project.workspace, key).state for key in _jobs(project)}
    assert states == {JobState.DONE}


def _jobs(project: Project) -> list[JobKey]:
    return sorted(scan.list_jobs(project.workspace))
