"""Which log a person wants to see."""

from __future__ import annotations

import os

import pytest

from tests.engine.folders import key, make_job
from tests.engine.making import launch
from xpm_engine.errors import UsageError
from xpm_engine.verbs.logs import Stream, follow_lines, log_path, read_lines
from xpm_engine.workspace import tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.reasons import Outcome

A = key(1)


def test_the_errors_of_what_failed(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A, outcome=Outcome.FAILED)
    assert str(log_path(workspace, A)) == job.stderr(1)
    assert str(log_path(workspace, A, stream=Stream.STDOUT)) == job.stdout(1)


def test_else_the_one_that_was_written_last(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    os.utime(job.stdout(1), (1, 1))
    assert str(log_path(workspace, A)) == job.stderr(1)
    os.utime(job.stderr(1), (0, 0))
    assert str(log_path(workspace, A)) == job.stdout(1)


def test_a_job_without_a_log(workspace: WorkspacePaths) -> None:
    tickets.claim_launch(workspace.job(A), launch(A))
    with pytest.raises(UsageError, match="no log yet: it is queued"):
        log_path(workspace, A)
    make_job(workspace, key(2))
    with pytest.raises(UsageError, match="no log of an attempt 7"):
        log_path(workspace, key(2), attempt=7)


def test_all_lines_or_the_last(workspace: WorkspacePaths) -> None:
    job = make_job(workspace, A)
    with open(job.stdout(1), "w", encoding="ascii") as file:
        file.writelines(f"line {number}\n" for number in range(3000))
    path = log_path(workspace, A, stream=Stream.STDOUT)
    lines = [line.text for line in read_lines(path)]
    assert lines == [f"line {number}" for number in range(3000)]
    assert [line.text for line in read_lines(path, last=2)] == ["line 2998", "line 2999"]
    assert list(read_lines(path, last=0)) == []


def test_following_a_job_that_is_over_ends(workspace: WorkspacePaths) -> None:
    make_job(workspace, A)
    path = log_path(workspace, A, stream=Stream.STDOUT)
    texts = [getattr(item, "text", "") for item in follow_lines(workspace, A, path, last=10)]
    assert texts == ["out"]
