"""What is kept between sessions, and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_tui.screens.arriving import Goal
from xpm_tui.session import Session, Sessions
from xpm_tui.store import (
    ExperimentSubject,
    FailedSubject,
    Grouping,
    GroupKey,
    GroupSubject,
    JobSubject,
    LogSubject,
    RunKey,
    RunSubject,
    Stream,
    Subject,
    TrashSubject,
)

Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]
both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])

KEY = JobKey("ir.learn", "9b2e41" + "0" * 26)
RUN = RunKey("drmm", "20261123-091200")

subjects: st.SearchStrategy[Subject] = st.sampled_from(
    [
        FailedSubject(),
        TrashSubject(),
        ExperimentSubject("drmm"),
        RunSubject(RUN),
        GroupSubject(RUN, GroupKey(Grouping.TAG, ("lr=0.1", "seed"))),
        JobSubject(KEY, RUN),
        JobSubject(KEY),
        LogSubject(KEY, RUN, Stream.STDERR),
    ]
)


@given(
    st.builds(
        Session,
        at=st.just("2026-11-23T09:12:00.000000Z"),
        cursor=subjects,
        unfolded=st.lists(subjects).map(tuple),
        met=st.lists(st.text()).map(tuple),
        grouping=st.sampled_from(Grouping),
        sorted_by=st.text(),
        reverse=st.booleans(),
        columns=st.dictionaries(st.text(), st.booleans()),
    )
)
def test_what_is_kept_comes_back(session: Session) -> None:
    assert Session.from_json(json.loads(json.dumps(session.to_json()))) == session


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"v": 2}', '{"v": 1}', '{"v": 1, "at": "", "cursor": 3}']
)
def test_a_broken_file_counts_as_none(tmp_path: Path, text: str) -> None:
    sessions, workspace = Sessions(tmp_path / "state"), WorkspacePaths(str(tmp_path))
    sessions.keep(workspace, Session(cursor=ExperimentSubject("drmm")))
    assert sessions.load(workspace).cursor == ExperimentSubject("drmm")
    (file,) = (tmp_path / "state").iterdir()
    file.write_text(text)
    assert sessions.load(workspace) == Session()
    assert sessions.recent() == ()


def test_a_folder_that_can_not_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    sessions, workspace = Sessions(tmp_path / "state"), WorkspacePaths(str(tmp_path))
    sessions.keep(workspace, Session())
    assert sessions.load(workspace) == Session()
    assert sessions.recent() == ()


def test_workspaces_used_lately(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "state")
    for number, name in enumerate(["old", "gone", "new"]):
        folder = tmp_path / name
        folder.mkdir()
        at = f"2026-11-2{number}T09:12:00.000000Z"
        sessions.keep(WorkspacePaths(str(folder)), Session(at=at))
    (tmp_path / "gone").rmdir()
    assert sessions.recent() == (str(tmp_path / "new"), str(tmp_path / "old"))


@both_sizes
async def test_the_app_opens_where_it_was_left(
    drive: Drive, size: tuple[int, int], jobs: Jobs, tmp_path: Path
) -> None:
    sessions = Sessions(tmp_path / "state")
    async with drive(sessions=sessions).at(size) as app:
        await app.press("t", "t", "t", "t")
        await app.press("j", "j", "l", "j", "space", "slash", *"seed=2", "enter")
        row = app.row()
        assert "lr=0.1 seed=2" in row
        app.app.exit()
    async with drive(sessions=sessions).at(size) as app:
        await app.until(lambda: "lr=0.1 seed=2" in app.row())
        text = "\n".join(app.lines())
        assert "no filter" in text
        assert "marked" not in text
        assert any("lr=0.01 seed=1" in line for line in app.tree_lines())


async def test_grouping_sort_columns_and_folds(drive: Drive, jobs: Jobs, tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "state")
    async with drive(sessions=sessions).at(WIDE) as app:
        await app.press("t", "enter", "s", "s", "S")
        sort = app.right.job_table.table.model
        assert sort.column is not None
        title = sort.column.title
        app.right.job_table.choose({"seed": False})
        await app.press("backspace", "h")
        app.app.exit()
    async with drive(sessions=sessions).at(WIDE) as app:
        assert "by tag" in app.lines()[-2]
        assert "▸ drmm" in "\n".join(app.tree_lines())
        await app.settle()
        model = app.right.job_table.table.model
        await app.until(lambda: model.column is not None)
        assert model.column is not None
        assert (model.column.title, model.reverse) == (title, True)
        assert app.right.job_table.choice == {"seed": False}


@both_sizes
async def test_a_deep_link_to_a_job(drive: Drive, size: tuple[int, int], jobs: Jobs) -> None:
    key = jobs["evaluate of lr=0.01 seed=2"].key
    async with drive(goal=Goal(job=key.short)).at(size) as app:
        await app.until(lambda: app.tree.subject == JobSubject(key, RUN))
        await app.settle()
        assert isinstance(app.right.subject, JobSubject)


async def test_a_deep_link_to_an_experiment(drive: Drive, jobs: Jobs) -> None:
    async with drive(goal=Goal(experiment="ablation")).at(WIDE) as app:
        await app.until(lambda: app.tree.subject == ExperimentSubject("ablation"))


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        (Goal(job="zzz"), "no job is called zzz"),
        (Goal(experiment="drm"), "no experiment is called drm"),
        (Goal(job="learn/"), "means 9 jobs: type more of the identifier"),
    ],
)
async def test_a_deep_link_that_leads_nowhere(
    drive: Drive, jobs: Jobs, goal: Goal, words: str
) -> None:
    async with drive(goal=goal).at(WIDE) as app:
        await app.until(lambda: words in app.lines()[-2])
        assert app.tree.subject == ExperimentSubject("drmm")


async def test_a_key_comes_before_the_deep_link(
    drive: Drive, jobs: Jobs, workspace: FakeWorkspace
) -> None:
    async with drive(goal=Goal(job="learn/zzz")).at(WIDE) as app:
        await app.press("j")
        row = app.row()
        await app.look(lambda: True)
        assert app.row() == row
