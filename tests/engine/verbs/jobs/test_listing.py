"""Rows: what the runs say, and what the folders tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, make_run, reference
from xpm_engine.errors import UsageError
from xpm_engine.verbs.jobs.listing import list_folders, list_latest, list_run
from xpm_engine.verbs.jobs.selecting import select
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.reasons import (
    Frame,
    Outcome,
    Reason,
    ReasonKind,
    Wait,
    WaitKind,
)
from xpm_engine.workspace.records.runs import PlanState, Queue
from xpm_engine.workspace.records.states import JobState

RAISED = PlanState.RAISED
A, B, C, D, E = (key(number) for number in range(1, 6))


def test_a_run_in_the_order_of_its_plan(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    make_job(workspace, B, outcome=Outcome.FAILED)
    make_run(workspace, [reference(B, tags={"lr": 0.1}), reference(A, dependencies=[B])])
    rows = list_run(workspace, "drmm").rows
    assert [(row.key, row.state) for row in rows] == [
        (B, JobState.FAILED),
        (A, JobState.DONE),
    ]
    assert rows[0].tags == {"lr": 0.1}
    assert rows[1].dependencies == (B,)


def test_what_has_no_folder_yet_is_told_by_the_queue(workspace: WorkspacePaths) -> None:
    waits = (
        Wait(B, WaitKind.CORE, place=1),
        Wait(C, WaitKind.DEPENDENCY, on=(B,)),
        Wait(D, WaitKind.UPSTREAM_FAILED, on=(A,)),
        Wait(E, WaitKind.UPSTREAM_FAILED, on=(D, A), what="is drifted"),
    )
    make_job(workspace, A, outcome=Outcome.FAILED)
    run = make_run(workspace, map(reference, (A, B, C, D, key(9), E)), plan=PlanState.RUNNING)
    write_atomic(run.queue, dumps(Queue(now(), waits).to_json()))
    rows = list_run(workspace, "drmm").rows
    assert [row.state for row in rows] == [
        JobState.FAILED,
        JobState.WAITING,
        JobState.WAITING,
        JobState.BLOCKED,
        JobState.READY,
        JobState.BLOCKED,
    ]
    assert rows[1].why == "waits for a free core, 1st"
    assert rows[2].why == f"waits for {B.task} {B.short}"
    assert rows[3].why == f"blocked: {A.task} {A.short} failed"
    assert rows[5].why == f"blocked: {A.task} {A.short} is drifted, upstream of {D.task} {D.short}"


def test_what_a_dead_run_never_started(workspace: WorkspacePaths) -> None:
    make_run(workspace, [reference(A)], plan=PlanState.INTERRUPTED)
    assert list_run(workspace, "drmm").rows[0].state is JobState.NOT_SUBMITTED


def test_a_failure_names_the_line(workspace: WorkspacePaths) -> None:
    frame = Frame("/project/train.py", 88, "execute", "raise ValueError")
    reason = Reason(ReasonKind.EXCEPTION, "ValueError: no\x1b[31m", "ValueError", frame)
    make_job(workspace, A, outcome=Outcome.FAILED, reason=reason)
    assert list_folders(workspace)[0].why == "ValueError: no�[31m  train.py:88"


def test_the_latest_run_of_each_experiment_the_newest_last(workspace: WorkspacePaths) -> None:
    make_run(workspace, [reference(A)], experiment="old", run="20260101-000000-aa")
    make_run(workspace, [reference(A)], experiment="new", run="20260102-000000-aa")
    make_run(workspace, [reference(B)], experiment="new", run="20260103-000000-aa")
    found = [(rows.view.experiment, rows.view.run) for rows in list_latest(workspace)]
    assert found == [("old", "20260101-000000-aa"), ("new", "20260103-000000-aa")]
    assert list_run(workspace, "new", "20260102-000000-aa").rows[0].key == A


def test_a_plan_that_raised_early_hides_no_failure(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=Outcome.FAILED)
    make_run(workspace, map(reference, (A, B)), run="20260101-000000-aa")
    make_run(workspace, [], run="20260102-000000-aa", plan=PlanState.RAISED)
    (rows,) = list_latest(workspace)
    assert (rows.view.run, [row.key for row in rows.rows]) == ("20260101-000000-aa", [A, B])
    assert rows.note == (
        "the later run 20260102-000000-aa raised an error (0 of these 2 jobs named)"
    )
    assert [row.key for row in select(workspace, ["state:failed"], strict=True).rows] == [A]


def test_what_failed_before_a_plan_that_raised_with_other_jobs(workspace: WorkspacePaths) -> None:
    make_job(workspace, A, outcome=Outcome.FAILED)
    make_job(workspace, B)
    make_job(workspace, C, outcome=Outcome.FAILED)
    make_run(workspace, map(reference, (A, B, C)), run="20260101-000000-aa")
    make_run(workspace, [reference(C), reference(D)], run="20260102-000000-aa", plan=RAISED)
    before, now = list_latest(workspace)
    assert (before.view.run, [row.key for row in before.rows]) == ("20260101-000000-aa", [A])
    assert "no complete run has named" in before.note
    assert (now.view.run, [row.key for row in now.rows]) == ("20260102-000000-aa", [C, D])
    assert {row.key for row in select(workspace, ["exp=drmm"], strict=True).rows} == {A, B, C, D}
    make_run(workspace, [reference(C)], run="20260103-000000-aa")
    (only,) = list_latest(workspace)
    assert [row.key for row in only.rows] == [C]


def test_a_damaged_job_is_a_row(workspace: WorkspacePaths) -> None:
    job: JobPaths = make_job(workspace, A)
    Path(job.summary).unlink()
    Path(job.end(1)).write_text("")
    row = list_folders(workspace)[0]
    assert row.state is JobState.UNREADABLE
    assert "is empty" in row.why


@pytest.mark.parametrize("name", ["drm", "nothing", "..", "\x1b[2J"])
def test_an_unknown_experiment(workspace: WorkspacePaths, name: str) -> None:
    make_run(workspace, [reference(A)])
    with pytest.raises(UsageError, match="drmm") as caught:
        list_run(workspace, name)
    assert "\x1b" not in str(caught.value)


def test_an_unknown_run(workspace: WorkspacePaths) -> None:
    make_run(workspace, [reference(A)])
    with pytest.raises(UsageError, match="no run"):
        list_run(workspace, "drmm", "20260101")
