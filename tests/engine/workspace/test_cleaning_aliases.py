"""A result that was adopted under a new name keeps the folder that it lies in."""

from __future__ import annotations

import os

from tests.engine.folders import key, make_job, make_run, picture, reference
from xpm_engine.workspace import aliases, cleaning, scan
from xpm_engine.workspace.cleaning import NeedKind
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState

OLD, NEW, LATER = key(1, "ir.old"), key(2, "ir.new"), key(3)


def _renamed(workspace: WorkspacePaths) -> None:
    make_job(workspace, OLD)
    aliases.adopt(workspace, NEW, OLD, run="drmm/1")


def test_the_new_name_needs_the_old_folder(workspace: WorkspacePaths) -> None:
    _renamed(workspace)
    plan = cleaning.plan_removal(workspace, [OLD])
    assert [(need.kind, need.job) for need in plan.needed_by(plan.rows[0])] == [
        (NeedKind.ALIAS, NEW)
    ]
    both = cleaning.plan_removal(workspace, [OLD, NEW])
    assert both.needed_by(both.rows[0]) == ()


def test_a_running_job_that_is_made_from_the_new_name_keeps_the_old_folder(
    workspace: WorkspacePaths,
) -> None:
    _renamed(workspace)
    make_job(workspace, LATER, outcome=None, dependencies=[NEW])
    assert str(LATER) in cleaning.plan_removal(workspace, [OLD]).rows[0].refused


def test_a_live_run_that_adopted_it_keeps_the_old_folder(workspace: WorkspacePaths) -> None:
    from dataclasses import replace

    _renamed(workspace)
    plan = cleaning.plan_removal(workspace, [OLD])
    make_run(workspace, [replace(reference(NEW), alias=OLD)], plan=PlanState.RUNNING)
    assert cleaning.carry_out(workspace, plan).removals == ()
    assert "goes on" in cleaning.plan_removal(workspace, [OLD]).rows[0].refused


def test_a_job_left_behind_keeps_what_its_upstream_adopted(workspace: WorkspacePaths) -> None:
    from dataclasses import replace

    _renamed(workspace)
    plan = cleaning.plan_removal(workspace, [OLD])
    lines = [replace(reference(NEW), alias=OLD), reference(LATER, dependencies=[NEW])]
    make_run(workspace, lines, plan=PlanState.INTERRUPTED)
    make_job(workspace, LATER, outcome=None, dependencies=[NEW])
    assert cleaning.carry_out(workspace, plan).removals == ()


def test_a_new_name_that_was_cleaned_and_brought_back_is_still_one(
    workspace: WorkspacePaths,
) -> None:
    _renamed(workspace)
    job = workspace.job(NEW)
    before = picture(job.root)
    done = cleaning.carry_out(workspace, cleaning.plan_removal(workspace, [NEW]))
    assert [removal.key for removal in done.removals] == [NEW]
    assert scan.read_job(workspace, OLD).state is JobState.DONE
    cleaning.undo(workspace, done.name)
    os.unlink(job.lock)
    assert {name: entry for name, entry in picture(job.root).items() if name != ".xpm"} == {
        name: entry for name, entry in before.items() if name != ".xpm"
    }
    assert aliases.resolve(workspace, NEW) == OLD
    assert scan.read_job(workspace, NEW).state is JobState.DONE
