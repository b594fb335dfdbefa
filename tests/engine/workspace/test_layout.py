"""Names of folders: what is allowed, and that nothing leads out of the workspace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpm_engine.errors import BadNameError
from xpm_engine.workspace.layout import (
    JobKey,
    JobPaths,
    WorkspacePaths,
    attempts_in,
    check_name,
    is_task_folder,
    key_of_job,
    task_folder,
    workspace_of_job,
)

IDENTIFIER = "0123456789abcdef" * 2


@pytest.mark.parametrize("name", ["drmm", "a", "A.b-c_9", "0", "x" * 100])
def test_names_that_are_fine(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "..", ".", "a/b", "a\n", "\na", "-x", ".x", "x" * 101, "[/x]", "é", "a b", "a\0"]
)
def test_names_that_are_refused_are_named_in_the_error(name: str) -> None:
    with pytest.raises(BadNameError) as caught:
        check_name(name)
    assert repr(name) in str(caught.value)


def test_a_task_folder_is_lower_case_and_percent_encoded() -> None:
    assert task_folder("ir.Model.BM25") == "ir.model.bm25"
    assert task_folder("a.Ünï") == "a.%c3%bcn%c3%af"
    assert task_folder("a/b") == "a%2fb"


@pytest.mark.parametrize("name", ["", ".", "..", "a..b", ".a", "a."])
def test_a_type_name_with_an_empty_part_is_refused(name: str) -> None:
    with pytest.raises(BadNameError):
        task_folder(name)


def test_a_long_type_name_is_refused() -> None:
    assert task_folder("a" * 200)
    with pytest.raises(BadNameError, match="201 bytes"):
        task_folder("a" * 201)


@given(st.text(max_size=70))
def test_any_type_name_is_one_folder_below_jobs_or_refused(name: str) -> None:
    try:
        folder = task_folder(name)
    except BadNameError:
        return
    assert "/" not in folder
    assert folder not in (".", "..")
    assert is_task_folder(folder)


def test_a_key_is_read_back_from_its_text_and_its_folder() -> None:
    key = JobKey("ir.bm25", IDENTIFIER)
    workspace = WorkspacePaths("/w")
    assert JobKey.parse(str(key)) == key
    assert key_of_job(workspace.job(key).root) == key
    assert workspace_of_job(workspace.job(key).root) == workspace
    assert workspace.key_of(workspace.job(key).xpm + "/lock") == key
    assert workspace.key_of(workspace.job(key).root) == key


@pytest.mark.parametrize("path", ["/w/jobs", "/w/jobs/ir.bm25", "/w/other/x/y", "/w/jobs/a/b"])
def test_what_is_no_job_has_no_key(path: str) -> None:
    assert WorkspacePaths("/w").key_of(path) is None


@pytest.mark.parametrize("text", ["", "x", "a/b", "../" + IDENTIFIER, "a/" + IDENTIFIER.upper()])
def test_a_text_that_names_no_job_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a job"):
        JobKey.parse(text)


def test_tickets_are_told_from_other_names() -> None:
    names = ["1.launch", "1.start", "1.end", "12.launch", "0.launch", "x.start", "1.launch.ab.tmp"]
    assert attempts_in(names) == {1: {"launch", "start", "end"}, 12: {"launch"}}


def test_all_that_is_ours_stays_in_the_jobs_own_folder() -> None:
    job = JobPaths("/w/jobs/t/" + IDENTIFIER)
    for path in (job.lock, job.summary, job.params, job.launch(1), job.stderr(2), job.alias):
        assert path.startswith(job.xpm + "/")
