"""A removal from the app: planned, looked at, carried out, and taken back with one key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace, grid
from xpm_engine import words
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import PlanState
from xpm_tui import clock
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.widgets.cleaning import plan_pane
from xpm_tui.widgets.cleaning.plan_table import PlanTable

Drive = Callable[..., Driven]

INDEX = FakeJob("ir.index", "a", {"stem": "porter"})
LEARN = FakeJob("ir.learn", "b", {"lr": 0.1}, deps=(INDEX.key,))
BAD = FakeJob("ir.learn", "c", {"lr": 1.0}, deps=(INDEX.key,))

pytestmark = pytest.mark.usefixtures("_old_run")


@pytest.fixture
def _old_run(workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is over, of an index and two jobs made from it."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    monkeypatch.setattr(plan_pane, "GRACE", 0.0)
    words_of_noon(monkeypatch)
    workspace.done(INDEX, run="old/20261101-101500")
    workspace.done(LEARN, run="old/20261101-101500")
    workspace.failed(BAD, run="old/20261101-101500")
    jobs = [INDEX, LEARN, BAD]
    workspace.run("old", jobs, run="20261101-101500", plan=PlanState.COMPLETE, ended=10)


def words_of_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is told of a row's times be told at noon, too."""

    def at_noon(text: str | None, now: float) -> str:
        return words.when(text, NOON)

    for module in ("obsolete", "offers"):
        monkeypatch.setattr(f"xpm_engine.verbs.cleaning.{module}.when", at_noon)


async def plan(app: Driven, *keys: JobKey) -> None:
    """Plan a removal, and wait until it is measured."""
    app.app.plan_removal(frozenset(keys))
    await app.until(lambda: app.app.screen.query(PlanTable))
    table = app.app.screen.query_one(PlanTable)
    await app.until(lambda: table.removal is not None and table.removal.measured)
    await app.pilot.pause()


async def see(app: Driven, words: str) -> None:
    """Wait until it stands on the screen."""
    await app.until(lambda: any(words in line for line in app.lines()))


async def left(app: Driven) -> None:
    """Wait until the plan's screen is gone."""
    await app.until(lambda: not isinstance(app.app.screen, CleanScreen))


@pytest.mark.usefixtures("same_on_every_disk")
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_picture_of_a_plan(
    drive: Drive,
    size: tuple[int, int],
    picture: Callable[[list[str]], None],
) -> None:
    async with drive().at(size) as app:
        await plan(app, INDEX.key, LEARN.key, BAD.key)
        picture(app.lines())


async def test_a_failed_job_goes_to_the_trash_and_comes_back(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    folder = workspace.paths.job(BAD.key).root
    async with drive().at(NARROW) as app:
        await plan(app, BAD.key)
        await see(app, "1 of 1 ticked")
        assert os.path.isdir(folder)
        await app.press("X")
        await see(app, "moved 1 job to the trash; frees 0 B")
        assert not os.path.lexists(folder)
        assert not isinstance(app.app.screen, CleanScreen)
        await app.press("z")
        await app.until(lambda: os.path.isdir(folder))
        await see(app, "moved 1 job back")
        assert app.app.changes == ()


async def test_a_clean_is_taken_back_from_the_trash(drive: Drive, workspace: FakeWorkspace) -> None:
    folder = workspace.paths.job(BAD.key).root
    async with drive().at(WIDE) as app:
        await plan(app, BAD.key)
        await app.press("X")
        await left(app)
        await app.look(lambda: app.app.store.trash)
        app.app.changes = ()
        await app.press("G", "enter")
        await see(app, "1 clean, 1 job")
        await see(app, "learn lr=1")
        await app.press("z")
        await app.until(lambda: os.path.isdir(folder))
        await app.look(lambda: not app.app.store.trash)


async def test_looking_and_leaving_changes_nothing(drive: Drive, workspace: FakeWorkspace) -> None:
    async with drive().at(NARROW) as app:
        await plan(app, BAD.key, LEARN.key)
        await app.press("asterisk", "u", "space", "escape")
        await left(app)
        assert os.path.isdir(workspace.paths.job(BAD.key).root)
        assert not os.path.lexists(workspace.paths.trash)
        assert app.app.changes == ()


async def test_of_several_jobs_no_finished_result_is_ticked_at_first(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    async with drive().at(NARROW) as app:
        await plan(app, LEARN.key, BAD.key)
        await see(app, "1 of 2 ticked")
        await app.press("X")
        await left(app)
        assert not os.path.lexists(workspace.paths.job(BAD.key).root)
        assert os.path.isdir(workspace.paths.job(LEARN.key).root)


async def test_a_job_that_is_needed_says_by_whom_and_is_not_ticked(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await plan(app, INDEX.key)
        await see(app, "0 of 1 ticked")
        text = "\n".join(app.lines())
        assert f"learn {LEARN.key.short}" in text
        assert f"learn {BAD.key.short}" in text


async def test_who_would_go_too_does_not_count_as_needing(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await plan(app, INDEX.key, LEARN.key, BAD.key)
        await app.press("asterisk")
        await see(app, "3 of 3 ticked")
        await see(app, "needed by old")
        assert not any("learn 1eb423" in line for line in app.lines())


async def test_a_job_of_a_living_run_can_not_be_ticked(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    key = grid(workspace)["learn2"].key
    async with drive().at(WIDE) as app:
        await plan(app, key)
        await app.press("space")
        await see(app, "this one stays: run drmm/")
        await app.press("asterisk", "X")
        await see(app, "nothing is ticked")
        assert os.path.isdir(workspace.paths.job(key).root)


async def test_nothing_is_carried_out_that_was_typed_ahead(
    drive: Drive, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_pane, "GRACE", 3_600.0)
    async with drive().at(NARROW) as app:
        await plan(app, BAD.key)
        await app.press("X")
        await see(app, "typed before the plan was shown")
        assert os.path.isdir(workspace.paths.job(BAD.key).root)


async def test_read_only_plans_are_not_carried_out(drive: Drive, workspace: FakeWorkspace) -> None:
    async with drive(readonly=True).at(NARROW) as app:
        await plan(app, BAD.key)
        await app.press("X")
        await see(app, "the app was started")
        assert os.path.isdir(workspace.paths.job(BAD.key).root)


async def test_what_the_disk_refuses_is_said_and_nothing_is_lost(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    async with drive().at(NARROW) as app:
        await plan(app, BAD.key)
        Path(workspace.paths.xpm).mkdir(exist_ok=True)
        Path(workspace.paths.trash).write_text("in the way")
        await app.press("X")
        await see(app, workspace.paths.trash[:30])
        assert isinstance(app.app.screen, CleanScreen)
        assert os.path.isdir(workspace.paths.job(BAD.key).root)
