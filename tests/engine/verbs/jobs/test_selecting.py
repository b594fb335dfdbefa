"""From a filter to the jobs of a workspace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.folders import key, make_job, make_run, picture, reference
from xpm_engine.errors import FilterError
from xpm_engine.verbs.jobs.selecting import select
from xpm_engine.workspace import processes
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Frame, Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.runs import PlanState

INDEX = key(0xA1, "ir.index")
DONE, FAILED, LIVE, WAITING, LOOSE = (key(0xB0 + n, "ir.learn") for n in range(5))
WHY = Reason(
    ReasonKind.EXCEPTION,
    "ValueError: loss is NaN",
    "ValueError",
    Frame("/project/train.py", 88, "step", "raise"),
)


@pytest.fixture
def filled(workspace: WorkspacePaths) -> WorkspacePaths:
    """Two experiments, of which one goes on, and a job that no latest run references."""
    make_job(workspace, INDEX, attempt=1)
    make_job(workspace, DONE, dependencies=[INDEX])
    make_job(workspace, FAILED, dependencies=[INDEX], outcome=Outcome.FAILED, reason=WHY)
    make_job(workspace, LIVE, outcome=None)
    make_job(workspace, LOOSE, tags={"lr": 5})
    old = [reference(LOOSE)]
    make_run(workspace, old, experiment="drmm", run="20261101-000000-aa")
    drmm = [
        reference(INDEX),
        reference(DONE, tags={"lr": 0.1}, dependencies=[INDEX]),
        reference(FAILED, tags={"lr": 0.01}, dependencies=[INDEX]),
    ]
    make_run(workspace, drmm, experiment="drmm", run="20261102-000000-aa")
    more = [reference(INDEX), reference(LIVE), reference(WAITING, tags={"lr": 0.1})]
    make_run(workspace, more, experiment="grid", run="20261103-000000-aa", plan=PlanState.RUNNING)
    return workspace


def keys(workspace: WorkspacePaths, *texts: str) -> list[JobKey]:
    return [row.key for row in select(workspace, texts, strict=True).rows]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("state:failed", [FAILED]),
        ("lr:0.1", [DONE, WAITING]),
        ("tag.lr>1", [LOOSE]),
        ("task=index", [INDEX]),
        ("task=ir.index", [INDEX]),
        ("exp=grid", [INDEX, LIVE, WAITING]),
        ("exp=drmm -exp=grid", [DONE, FAILED, LOOSE]),
        ("run:20261103", [INDEX, LIVE, WAITING]),
        ('"train.py:88"', [FAILED]),
        ("cause:valueerror", [FAILED]),
        ("is:live", [LIVE, WAITING]),
        ("is:reused", []),
        ("needs:ir.index", [DONE, FAILED]),
        (f"neededby:{DONE}", [INDEX]),
        ("neededby=grid", [INDEX, LIVE, WAITING]),
        ("time=2s", [INDEX, DONE, FAILED, LOOSE]),
        ("attempt:none", [WAITING]),
        ("ended:none", [LIVE, WAITING]),
        ("started:today..", [INDEX, DONE, FAILED, LIVE, LOOSE]),
        ("age<1h", [INDEX, DONE, FAILED, LIVE, WAITING, LOOSE]),
        ("wait<1h", [WAITING]),
        ("wait:none", [INDEX, DONE, FAILED, LIVE, LOOSE]),
        ("size>0", [INDEX, DONE, FAILED, LIVE, LOOSE]),
        ("owner=ada", [INDEX, DONE, FAILED, LIVE, WAITING, LOOSE]),
    ],
)
def test_fields(filled: WorkspacePaths, text: str, found: list[JobKey]) -> None:
    before = picture(filled.root)
    chosen = keys(filled, text)
    assert picture(filled.root) == before
    assert sorted(chosen) == sorted(found)


def test_pinned_and_mine(filled: WorkspacePaths, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(filled.job(DONE).pin).write_text("{}")
    assert keys(filled, "is:pinned") == [DONE]
    assert keys(filled, f"host={processes.host_name()}", "id:b1") == [FAILED]
    monkeypatch.setattr(processes, "user_name", lambda: "grace")
    assert keys(filled, "is:mine") == []
    monkeypatch.setattr(processes, "user_name", lambda: "ada")
    assert FAILED in keys(filled, "is:mine")


def test_words_that_a_shell_split_are_one_filter(filled: WorkspacePaths) -> None:
    assert keys(filled, "exp=drmm", "not", "task=index", "state:done") == [DONE, LOOSE]


def test_a_job_of_two_runs_is_one_row_in_the_light_of_the_newest(filled: WorkspacePaths) -> None:
    rows = select(filled, ["task=index"], strict=True).rows
    assert [row.key for row in rows] == [INDEX]
    assert len(select(filled, [""], strict=False).rows) == 6


def test_an_unknown_name_is_told_in_lists_and_raised_by_verbs(filled: WorkspacePaths) -> None:
    listed = select(filled, ["-rl:3"], strict=False)
    assert listed.rows == ()
    assert "did you mean lr?" in str(listed.faults[0])
    for text in ("-rl:3", "is:obsolete", "is:marked", "", "  "):
        with pytest.raises(FilterError):
            select(filled, [text], strict=True)


def test_a_launcher_is_read_where_it_is_asked_for(filled: WorkspacePaths) -> None:
    os.unlink(filled.job(FAILED).launch(1))
    assert FAILED not in keys(filled, "launcher~.")
    assert FAILED in keys(filled, "launcher:none")


def test_an_empty_workspace_has_no_jobs(workspace: WorkspacePaths) -> None:
    assert select(workspace, ["state:failed"], strict=True).rows == ()
