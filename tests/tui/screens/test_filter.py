"""The one filter of the main screen, by its keys, at both sizes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.store import ExperimentSubject
from xpm_tui.widgets.frame.filter_line import FilterInput
from xpm_tui.widgets.jobs.view import SetView

Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]
both_sizes = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])

pytestmark = pytest.mark.usefixtures("jobs")


def names(app: Driven) -> list[str]:
    """What the tree's rows begin with."""
    lines = [line.strip("▌│ ") for line in app.tree_lines() if line]
    return [line.split("  ")[0] for line in lines]


@both_sizes
async def test_it_narrows_the_tree_and_its_counts_and_backspace_ends_it(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        await app.press("slash", *"seed=2 state:running", "enter")
        assert app.tree.has_focus
        assert names(app) == ["▾ drmm", "▾ learn", "● lr=0.01 seed=2", "All jobs"]
        assert "0/1" in app.tree_lines()[0]
        assert "/seed=2 state:running  1 of 25" in app.lines()[-2]
        assert app.lines()[0].count("✗")  # the totals stay those of all
        await app.press("backspace")
        assert app.tree.subject == ExperimentSubject("drmm")
        assert "no filter" in app.lines()[-2]
        assert any("ablation" in line for line in app.tree_lines())


@both_sizes
async def test_while_typing_the_last_valid_filter_stays_and_the_fault_is_told(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        await app.press("slash", *"state:failed")
        assert " 3 of 25" in app.lines()[-2]
        assert "✗ lr=0.1 seed=1" in names(app)
        await app.press(*" )")
        assert "state:failed )" in app.lines()[-2]
        assert " 3 of 25" in app.lines()[-2]
        assert "✗ lr=0.1 seed=1" in names(app)
        assert "parenthesis" in app.lines()[-1]
        field = app.main.query_one(FilterInput)
        shown = field.highlighter
        assert shown is not None
        underlined = shown(field.value).spans
        assert [field.value[span.start : span.end] for span in underlined] == [")"]
        await app.press("enter")
        assert field.has_focus, "what can't be read can't be kept"
        await app.press("escape")
        assert app.tree.has_focus
        assert "no filter" in app.lines()[-2]


@both_sizes
async def test_an_unknown_name_selects_nothing_and_is_told(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        await app.press("slash", *"sead:9")
        assert " 0 of 25" in app.lines()[-2]
        assert "did you mean seed?" in app.lines()[-1]
        assert names(app) == ["All jobs"]


@both_sizes
async def test_tab_completes_names_and_values(drive: Drive, size: tuple[int, int]) -> None:
    async with drive().at(size) as app:
        await app.press("slash", *"stat")
        assert app.lines()[-1].strip().startswith("state:")
        await app.press("tab", "f", "tab", "enter")
        assert "/state:failed  3 of 25" in app.lines()[-2]


@both_sizes
async def test_from_the_table_it_narrows_jobs_causes_and_waiting_alike(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        await app.press("enter", "slash", *"seed:1", "enter")
        assert app.right.has_focus_within
        assert app.tree.subject == ExperimentSubject("drmm")
        sets = app.right.view
        assert isinstance(sets, SetView)
        assert {job.tags.get("seed") for job in sets.jobs.table.model.shown} == {1}
        await app.press("2")
        causes = sets.causes.table.model.shown
        assert [len(cause.jobs) for cause in causes] == [1]
        await app.press("3")
        waiting = sets.waiting.model.shown
        assert {job.tags.get("seed") for job in waiting} == {1}


@both_sizes
async def test_marks_that_it_hides_are_left_alone_and_that_is_said(
    drive: Drive, size: tuple[int, int], jobs: Jobs
) -> None:
    async with drive().at(size) as app:
        await app.press("j", "j", "l", "j", "space", "space")
        await app.press("slash", *"seed=2", "enter")
        assert "2 marked, 1 hidden" in app.lines()[-2]
        assert app.main.targets() == {jobs["learn lr=0.1 seed=2"].key}
        await app.press("x")
        await app.until(lambda: isinstance(app.app.screen, CleanScreen))
        await app.until(lambda: "1 marked job hidden by the filter: left alone" in app.lines()[-2])


async def test_escape_gives_back_the_filter_of_before(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("slash", *"seed:1", "enter")
        await app.press("slash", *" lr:0.1", "escape")
        assert "/seed:1  " in app.lines()[-2]
        await app.press("slash", *["backspace"] * 6)
        assert app.main.query_one(FilterInput).has_focus
        await app.press("backspace")
        assert app.tree.has_focus
        assert "/seed:1  " in app.lines()[-2]


async def test_a_job_that_changes_comes_and_goes(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs
) -> None:
    async with drive().at(WIDE) as app:
        await app.press("slash", *"state:running task:learn", "enter")
        assert "3 of 25" in app.lines()[-2]
        workspace.done(jobs["learn lr=0.01 seed=2"], run="drmm/20261123-091200", ended=1)
        await app.look(lambda: "2 of 25" in app.lines()[-2])
        assert "● lr=0.01 seed=2" not in names(app)


async def test_what_is_read_from_the_disk_comes_from_a_thread(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("slash", *"size>1B state:done", "enter")
        await app.until(lambda: " of 25" in app.lines()[-2] and "26 of 25" not in app.lines()[-2])
        assert "0 of 25" not in app.lines()[-2]


async def test_marked_jobs_are_a_filter(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("j", "j", "l", "j", "space")
        await app.press("slash", *"is:marked", "enter")
        assert " 1 of 25" in app.lines()[-2]
        await app.press("u")
        assert " 0 of 25" in app.lines()[-2]


async def test_what_few_jobs_are_in_is_unfolded_and_can_be_folded(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await app.press("slash", *"seed=2 state:running", "enter", "g", "j", "h")
        assert names(app) == ["▾ drmm", "▸ learn", "All jobs"]
        await app.press("l")
        assert "● lr=0.01 seed=2" in names(app)


async def test_what_is_typed_while_columns_are_made_is_shown_as_soon_as_they_are(
    drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xpm_tui.filtering.job_filter.FEW", 0)
    async with drive().at(WIDE) as app:
        await app.press("slash", *"seed=2 state:running", "enter")
        await app.until(lambda: app.app.store.wanted is not None and len(app.app.store.wanted) == 1)
        await app.until(lambda: names(app) == ["▾ drmm", "▾ learn", "● lr=0.01 seed=2", "All jobs"])
        assert "1 of 25" in app.lines()[-2]


@both_sizes
async def test_a_word_that_was_only_begun_hides_nothing(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        before = names(app)
        await app.press("slash", *"state")
        assert " 25 of 25" in app.lines()[-2]
        assert names(app) == before
        await app.press(":")
        assert " 25 of 25" in app.lines()[-2]
        await app.press("f")
        assert " 3 of 25" in app.lines()[-2]
        await app.press(*" reaso")
        assert " 3 of 25" in app.lines()[-2]
        await app.press(*"n:memo")
        assert " 2 of 25" in app.lines()[-2]


@both_sizes
async def test_what_nothing_begins_with_selects_nothing(
    drive: Drive, size: tuple[int, int]
) -> None:
    async with drive().at(size) as app:
        await app.press("slash", *"zzz")
        assert " 0 of 25" in app.lines()[-2]
        await app.press("backspace", "backspace", "backspace", *"stat")
        assert " 25 of 25" in app.lines()[-2]
        # A blank ends the word, and so does enter: then it is what it says.
        await app.press("space")
        assert " 0 of 25" in app.lines()[-2]
        await app.press("escape", "slash", *"stat", "enter")
        assert "/stat  0 of 25" in app.lines()[-2]
        assert names(app) == ["All jobs"]
