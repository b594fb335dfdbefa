"""A plan of very many rows: those that are alike are one, ticked as a whole, or unfolded."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.screens.test_clean import left, plan, see, words_of_noon
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_engine.workspace.records.runs import PlanState
from xpm_tui import clock
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.store import ObsoleteSubject
from xpm_tui.widgets.cleaning import plan_pane
from xpm_tui.widgets.cleaning.plan_table import PlanTable

Drive = Callable[..., Driven]

INDEX = FakeJob("ir.index", "a", {"stem": "porter"})
STAYS = [FakeJob("ir.learn", f"s{n}", {"lr": 0.1, "seed": n}) for n in range(1, 9)]
FAILED = [FakeJob("ir.learn", f"f{n}", {"lr": 1, "seed": n}) for n in range(1, 6)]
REPLACED = [FakeJob("ir.learn", f"r{n}", {"lr": 0.5, "seed": n}) for n in range(1, 9)]
OLD, NEW = "20261101-101500", "20261102-101500"

pytestmark = pytest.mark.usefixtures("_history")


@pytest.fixture
def _history(workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run, five failed jobs and eight results are replaced by the next."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    monkeypatch.setattr(plan_pane, "GRACE", 0.0)
    words_of_noon(monkeypatch)
    workspace.done(INDEX)
    for job in STAYS:
        workspace.done(job, run=f"drmm/{OLD}")
    for number, job in enumerate(REPLACED):
        workspace.done(job, run=f"drmm/{OLD}", ended=100_000 * number)
    for job in FAILED:
        workspace.failed(job, run=f"drmm/{OLD}")
    jobs = [*STAYS, *REPLACED, *FAILED]
    workspace.run("drmm", jobs, run=OLD, plan=PlanState.COMPLETE, started=900, ended=800)
    workspace.run("drmm", STAYS, run=NEW, plan=PlanState.COMPLETE, started=700, ended=600)


async def clean(app: Driven) -> PlanTable:
    """Plan to clean all that is obsolete, and wait until it is measured."""
    app.app.push_screen(CleanScreen(app.main.plan_of(ObsoleteSubject())))
    await app.until(lambda: app.app.screen.query(PlanTable))
    table = app.app.screen.query_one(PlanTable)
    await app.until(lambda: table.removal is not None and table.removal.measured)
    await app.pilot.pause()
    return table


def cursor(app: Driven) -> str:
    """The row under the cursor."""
    return next(line for line in app.lines() if line.startswith("▌"))


@pytest.mark.usefixtures("same_on_every_disk")
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_picture_of_groups(
    drive: Drive,
    size: tuple[int, int],
    picture: Callable[[list[str]], None],
) -> None:
    async with drive().at(size) as app:
        await clean(app)
        await app.press("j", "j", "l", "j", "j", "space", "j")
        await see(app, "6 of 14 ticked")
        picture(app.lines())


async def test_a_group_is_ticked_and_moved_as_a_whole(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    async with drive().at(NARROW) as app:
        table = await clean(app)
        await see(app, "5 of 14 ticked")
        assert "[x]  ▸ learn lr=1 (5 jobs)" in cursor(app)
        await app.press("space")
        await see(app, "0 of 14 ticked")
        await app.press("k", "space")
        await see(app, "5 of 14 ticked")
        await app.press("j")
        assert "[ ]  ▸ learn lr=0.5 (8 jobs)" in cursor(app)
        await app.press("u")
        assert table.ticked == frozenset()
        await app.press("space")
        await see(app, "8 of 14 ticked")
        await app.press("X")
        await left(app)
        assert not any(os.path.lexists(workspace.paths.job(job.key).root) for job in REPLACED)
        assert all(os.path.isdir(workspace.paths.job(job.key).root) for job in FAILED)


async def test_what_is_in_a_group_is_shown_ticked_one_by_one_and_folded_again(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        table = await clean(app)
        await app.press("l")
        assert "▾ learn lr=1 (5 jobs)" in cursor(app)
        await app.press("j", "j", "space")
        assert "[x]    learn lr=1 seed=3" in cursor(app)
        await see(app, "[~]")
        await see(app, "4 of 14 ticked")
        await app.press("h")
        assert "[~]  ▾ learn lr=1 (5 jobs)" in cursor(app)
        await see(app, "(5 jobs), 4 ticked: failed")
        await app.press("h")
        assert "[~]  ▸ learn lr=1 (5 jobs)" in cursor(app)
        assert len(table.model.shown) == 6
        await app.press("space")
        await see(app, "5 of 14 ticked")
        await app.press("k", "h")
        assert "Failed, not in the last run" in cursor(app)
        await app.press("h")
        assert len(table.model.shown) == 5
        await app.press("l")
        assert len(table.model.shown) == 6


async def test_a_row_that_is_shown_whole_does_not_move_sideways(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await clean(app)
        await app.press("G")
        before = cursor(app)
        assert "learn" not in before
        assert "[ ]  index stem=porter" in before
        await app.press("l", "l")
        assert cursor(app) == before


async def test_a_range_over_groups_ticks_what_is_in_them(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        table = await clean(app)
        await app.press("u", "v", "G", "space")
        await see(app, "14 of 14 ticked")
        await app.press("g", "v", "j", "space")
        assert len(table.ticked) == 14 - len(FAILED)
        await app.press("g", "v", "j", "j", "j", "space")
        assert len(table.ticked) == 14


async def test_all_means_what_is_in_the_groups_too(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await clean(app)
        await app.press("asterisk")
        await see(app, "14 of 14 ticked")


async def test_what_is_looked_for_stands_for_itself(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        table = await clean(app)
        await app.press("slash", *"seed=3")
        await app.until(lambda: len(table.model.shown) == 2)
        await app.press("enter", "u", "asterisk")
        await see(app, "2 of 14 ticked")
        await app.press("escape")
        await app.until(lambda: len(table.model.shown) == 6)
        assert len(table.ticked) == 2


async def test_a_group_tells_all_that_is_known_of_it(drive: Drive) -> None:
    async with drive().at(WIDE) as app:
        await clean(app)
        await app.press("j", "j", "enter")
        await see(app, "To compute them again: 1 h 52 min.")
        await see(app, "Nobody needs them.")
        await see(app, "learn lr=0.5 seed=8")


async def test_a_few_jobs_that_somebody_chose_stand_for_themselves(drive: Drive) -> None:
    async with drive().at(NARROW) as app:
        await plan(app, *(job.key for job in FAILED[:3]))
        await see(app, "learn seed=1")
        await see(app, "learn seed=3")
