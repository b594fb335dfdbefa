"""From what a person types to the job that is meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.folders import make_job, make_run, reference
from xpm_engine.errors import UsageError
from xpm_engine.verbs.jobs.find import find_job, find_jobs
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.records.runs import PlanState, Queue

INDEX = JobKey("ir.index", "3f2a10" + "0" * 26)
LEARN = JobKey("ir.models.learn", "9b2e41" + "0" * 26)
OTHER = JobKey("ir.models.learn", "9b2eff" + "0" * 26)
TWIN = JobKey("ir.evaluate", "9b2e41" + "1" * 26)


@pytest.fixture
def jobs(workspace: WorkspacePaths) -> WorkspacePaths:
    for key in (INDEX, LEARN, OTHER, TWIN):
        make_job(workspace, key)
    return workspace


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("3", INDEX),
        ("3f2a10", INDEX),
        ("3F2A", INDEX),
        (INDEX.identifier, INDEX),
        (str(LEARN), LEARN),
        ("ir.models.learn/9b2e4", LEARN),
        ("learn/9b2e4", LEARN),
        ("models.learn/9b2e4", LEARN),
        ("Learn/9b2e4", LEARN),
        ("evaluate/9", TWIN),
        ("9b2e410", LEARN),
    ],
)
def test_what_means_one_job(jobs: WorkspacePaths, text: str, key: JobKey) -> None:
    assert find_job(jobs, text) == key


@pytest.mark.parametrize("name", ["3f", "drmm"])
def test_the_name_of_an_experiment_means_no_job(jobs: WorkspacePaths, name: str) -> None:
    """Not even the one whose identifier begins so: it would be moved or killed for all of them."""
    make_run(jobs, [reference(INDEX), reference(LEARN)], experiment=name)
    with pytest.raises(UsageError) as caught:
        find_job(jobs, name)
    assert f"exp={name} means all" in (caught.value.hint or "")
    assert find_job(jobs, "index/3f") == INDEX


def test_a_filter_where_one_job_is_asked_for(jobs: WorkspacePaths) -> None:
    with pytest.raises(UsageError) as caught:
        find_job(jobs, "lr:0.1")
    assert "`xpm ls 'lr:0.1'` names the jobs" in (caught.value.hint or "")


@pytest.mark.parametrize("inner", ["", "/", "/result.txt", "/stdout.log", "/.xpm/logs/1.out"])
def test_a_path_in_its_folder(
    jobs: WorkspacePaths, inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_job(jobs, jobs.job(LEARN).root + inner) == LEARN
    monkeypatch.chdir(jobs.root)
    assert find_job(jobs, os.path.relpath(jobs.job(LEARN).root) + inner) == LEARN


def test_a_path_by_way_of_a_link(jobs: WorkspacePaths, tmp_path: Path) -> None:
    os.symlink(jobs.root, tmp_path / "short")
    path = jobs.job(LEARN).root.replace(jobs.root, str(tmp_path / "short"))
    assert find_job(jobs, path) == LEARN


def test_several_are_listed(jobs: WorkspacePaths) -> None:
    with pytest.raises(UsageError) as caught:
        find_job(jobs, "9b2e41")
    text = str(caught.value)
    assert "means 2 jobs" in text
    assert "ir.models.learn/9b2e41000000" in text
    assert "ir.evaluate/9b2e41111111" in text


def test_many_are_counted(workspace: WorkspacePaths) -> None:
    for number in range(20):
        make_job(workspace, JobKey("t", f"a{number:031x}"))
    with pytest.raises(UsageError, match=r"means 20 jobs(.|\n)*and 12 more"):
        find_job(workspace, "a")


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("9b2e42", "9b2e41"),
        ("learn/9b2e42", "ir.models.learn/9b2e"),
        ("ir.indx/3f2a10", "ir.index"),
    ],
)
def test_none_gets_a_suggestion(jobs: WorkspacePaths, text: str, suggestion: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean.*{suggestion}"):
        find_job(jobs, text)


@pytest.mark.parametrize(
    "text", ["", "/", "..", "zz\x1b[31m", "9b2e41/", "earn/9b2e4", "/etc/passwd", "../.."]
)
def test_nonsense_is_refused_in_plain_text(jobs: WorkspacePaths, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_job(jobs, text)
    assert "\x1b" not in str(caught.value)


def test_an_empty_workspace_says_so(workspace: WorkspacePaths) -> None:
    with pytest.raises(UsageError, match="no jobs yet"):
        find_job(workspace, "9b")


def test_each_job_once(jobs: WorkspacePaths) -> None:
    assert find_jobs(jobs, ["3f2a", str(LEARN), "index/3"]) == (INDEX, LEARN)


def test_a_job_that_never_ran_is_not_said_to_be_unknown(jobs: WorkspacePaths) -> None:
    blocked = JobKey("ir.evaluate", "b0eb2b" + "0" * 26)
    run = make_run(jobs, map(reference, (INDEX, blocked)), plan=PlanState.RUNNING)
    waits = (Wait(blocked, WaitKind.UPSTREAM_FAILED, on=(INDEX,)),)
    write_atomic(run.queue, dumps(Queue(now(), waits).to_json()))
    with pytest.raises(UsageError) as caught:
        find_job(jobs, "b0eb")
    assert caught.value.what == (
        "ir.evaluate/b0eb2b has not run yet (blocked: ir.index 3f2a10 failed)"
    )
