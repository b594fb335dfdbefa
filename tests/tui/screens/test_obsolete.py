"""What is obsolete has its branch; the trash is emptied after a typed word, and a record stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Button, Input

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import NOON, FakeJob, FakeWorkspace
from xpm_engine.workspace import cleaning
from xpm_engine.workspace.records.runs import PlanState
from xpm_tui import clock
from xpm_tui.screens import dialog, typed
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.store import ObsoleteSubject, RunSubject, TrashSubject
from xpm_tui.widgets.cleaning import plan_pane
from xpm_tui.widgets.cleaning.plan_table import PlanTable
from xpm_tui.widgets.tree.model import RowKey

Drive = Callable[..., Driven]

INDEX = FakeJob("ir.index", "a", {"stem": "porter"})
LEARN = [FakeJob("ir.learn", f"l{n}", {"lr": lr}) for n, lr in enumerate((0.1, 0.5, 1.0))]
OLD, NEW = "20261101-101500", "20261102-101500"

pytestmark = pytest.mark.usefixtures("_history")


@pytest.fixture
def _history(workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """lr=0.1 stays, lr=0.5 was replaced, lr=1.0 failed and was replaced; the index is in no run."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    monkeypatch.setattr(plan_pane, "GRACE", 0.0)
    monkeypatch.setattr(typed, "GRACE", 0.01)
    monkeypatch.setattr(dialog, "GRACE", 0.01)
    workspace.done(INDEX)
    workspace.done(LEARN[0], run=f"drmm/{OLD}")
    workspace.done(LEARN[1], run=f"drmm/{OLD}", metrics={"mrr": 0.25})
    workspace.failed(LEARN[2], run=f"drmm/{OLD}")
    workspace.log(LEARN[1], "epoch 9\nloss 0.125\n")
    workspace.run("drmm", LEARN, run=OLD, plan=PlanState.COMPLETE, started=900, ended=800)
    workspace.run("drmm", LEARN[:1], run=NEW, plan=PlanState.COMPLETE, started=700, ended=600)


async def see(app: Driven, words: str) -> None:
    """Wait until it stands on the screen."""
    await app.until(lambda: any(words in line for line in app.lines()))


async def asked(app: Driven) -> None:
    """Wait until something is to be typed."""
    await app.until(lambda: isinstance(app.app.focused, Input))


async def to_branch(app: Driven, subject: ObsoleteSubject | TrashSubject) -> None:
    """Put the tree's cursor on a branch, once it is there."""
    await app.until(lambda: app.tree.move_to(RowKey(subject)))
    await app.settle()


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
async def test_what_is_obsolete_is_a_branch_and_is_cleaned_from_it(
    drive: Drive, workspace: FakeWorkspace, size: tuple[int, int]
) -> None:
    async with drive(survey=True).at(size) as app:
        await to_branch(app, ObsoleteSubject())
        await app.until(lambda: app.app.store.obsolete and app.app.store.obsolete.measured)
        assert "3 · " in app.row()
        await app.press("x")
        await see(app, "1 of 3 ticked")
        await see(app, "Replaced by a complete run")
        await see(app, "In no run")
        await app.press("X")
        await app.until(lambda: not os.path.lexists(workspace.paths.job(LEARN[2].key).root))
        await see(app, "z brings it back")
        await app.until(lambda: len(app.app.store.obsolete.rows) == 2)
        await app.press("z")
        await app.until(lambda: os.path.isdir(workspace.paths.job(LEARN[2].key).root))


async def test_its_right_side_is_the_plan_with_nothing_ticked(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    async with drive(survey=True).at(WIDE) as app:
        await to_branch(app, ObsoleteSubject())
        await app.press("enter")
        await see(app, "0 of 3 ticked")
        await app.press("X")
        await see(app, "nothing is ticked")
        await app.press("asterisk")
        await see(app, "3 of 3 ticked")
        await app.press("u", "space", "X")
        await app.until(lambda: cleaning.list_trash(workspace.paths))
        (done,) = cleaning.list_trash(workspace.paths)
        assert [removal.key for removal in done.removals] == [LEARN[2].key]


async def test_a_title_ticks_its_section(drive: Drive) -> None:
    async with drive(survey=True).at(WIDE) as app:
        await to_branch(app, ObsoleteSubject())
        await app.press("x")
        await see(app, "1 of 3 ticked")
        await app.press("u", "g", "space")
        await see(app, "1 of 3 ticked")
        await app.press("g", "space")
        await see(app, "0 of 3 ticked")


async def test_a_tick_counts_for_the_key_right_behind_it(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    async with drive(survey=True).at(WIDE) as app:
        await to_branch(app, ObsoleteSubject())
        await app.press("x")
        await see(app, "1 of 3 ticked")
        table = app.app.screen.query_one(PlanTable)
        table.move_to(LEARN[2].key)
        screen = app.app.screen
        assert isinstance(screen, CleanScreen)
        screen.action_act("mark")
        screen.action_act("carry_out")
        await see(app, "nothing is ticked")
        assert os.path.isdir(workspace.paths.job(LEARN[2].key).root)


async def test_a_row_tells_all_that_is_known(drive: Drive) -> None:
    async with drive(survey=True).at(WIDE) as app:
        await to_branch(app, ObsoleteSubject())
        await app.press("x")
        await see(app, "1 of 3 ticked")
        await app.press("j", "j", "enter")
        await see(app, "To compute it again: 14 min")
        await see(app, "lr 0.5 → 0.1")
        await app.until(lambda: isinstance(app.app.focused, Button))
        await app.press("escape")
        await app.until(lambda: isinstance(app.app.screen, CleanScreen))


async def test_so_many_bytes_as_cheaply_as_possible(drive: Drive) -> None:
    async with drive(survey=True).at(WIDE) as app:
        await to_branch(app, ObsoleteSubject())
        await app.press("x")
        await see(app, "1 of 3 ticked")
        await app.until(lambda: app.app.screen.query_one(PlanTable).removal.measured)
        await app.press("B")
        await asked(app)
        await app.press(*"much", "enter")
        await see(app, "is no size")
        await app.press("ctrl+u", *"10kB", "enter")
        await see(app, "nothing is lost")
        await see(app, "1 of 3 ticked")
        await app.press("B")
        await asked(app)
        await app.press(*"1TB", "enter")
        await see(app, "all that nobody needs")
        await see(app, "3 of 3 ticked")


async def test_an_earlier_run_goes_and_comes_back(drive: Drive, workspace: FakeWorkspace) -> None:
    folder = workspace.paths.run("drmm", OLD).root
    async with drive().at(WIDE) as app:
        await app.until(lambda: any("earlier runs" in line for line in app.tree_lines()))
        place = next(n for n, line in enumerate(app.tree_lines()) if "earlier runs" in line)
        await app.press("g", *["j"] * place, "l", "j")
        await app.settle()
        assert isinstance(app.tree.subject, RunSubject)
        await app.press("x")
        await see(app, "began 23 Nov, 3 jobs")
        await see(app, "no run that stays names it")
        await see(app, "2 of 3 ticked")
        await app.press("X")
        await app.until(lambda: not os.path.lexists(folder))
        assert os.path.isdir(workspace.paths.job(LEARN[1].key).root)
        await app.press("z")
        await app.until(lambda: os.path.isdir(folder))


async def test_purging_wants_the_word_and_leaves_a_record(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    paths = workspace.paths
    plan = cleaning.measure(paths, cleaning.plan_removal(paths, [LEARN[1].key]))
    done = cleaning.carry_out(paths, plan)
    async with drive(survey=True).at(WIDE) as app:
        await to_branch(app, TrashSubject())
        await app.press("enter")
        await see(app, "in 1")
        await app.press("x")
        await asked(app)
        await app.press("enter")
        await see(app, "that is not purge")
        await app.press(*"yes", "enter")
        assert cleaning.list_trash(paths)
        await app.press("escape")
        await see(app, "nothing was deleted")
        await app.press("x")
        await asked(app)
        await app.press(*"purge", "enter")
        await see(app, "purged 1 clean")
        assert cleaning.list_trash(paths) == ()
        await see(app, "record of 1 job")
        await app.press("enter")
        await see(app, "deleted for good")
        await see(app, "mrr=0.25")
        await see(app, "loss 0.125")
        assert not os.path.lexists(paths.transaction(done.name).root)


async def test_a_clean_is_looked_into_before_it_is_taken_back(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    paths = workspace.paths
    done = cleaning.carry_out(paths, cleaning.plan_removal(paths, [LEARN[1].key]))
    async with drive(survey=True).at(NARROW) as app:
        await to_branch(app, TrashSubject())
        await app.press("enter", "enter")
        await see(app, done.name)
        await see(app, "z brings it back")
        await see(app, "epoch 9")


@pytest.mark.parametrize("width", [80, 100, 120])
async def test_what_matters_is_seen_at_every_width(
    drive: Drive, workspace: FakeWorkspace, width: int
) -> None:
    paths = workspace.paths
    cleaning.carry_out(paths, cleaning.plan_removal(paths, [LEARN[1].key]))
    async with drive(survey=True).at((width, 24)) as app:
        await to_branch(app, TrashSubject())
        await app.press("enter")
        await see(app, "learn lr=0.5")
        app.app.plan_removal(frozenset((LEARN[0].key,)))
        await see(app, "needed by drmm" if width < 118 else "who needs it")


async def test_a_damaged_manifest_is_named_and_nothing_can_be_ticked(
    drive: Drive, workspace: FakeWorkspace
) -> None:
    with open(workspace.paths.run("drmm", OLD).manifest, "ab") as file:
        file.write(b'{"task"\n')
    async with drive(survey=True).at(WIDE) as app:
        await to_branch(app, ObsoleteSubject())
        await app.press("x")
        await see(app, "Cannot tell, left alone")
        await see(app, "0 of 3 ticked")
        await app.press("asterisk")
        await see(app, "0 of 3 ticked")
        await see(app, "so nobody can tell: run drmm")


async def test_a_damaged_end_can_not_be_ticked(drive: Drive, workspace: FakeWorkspace) -> None:
    Path(workspace.paths.job(INDEX.key).end(1)).write_bytes(b"")
    async with drive(survey=True).at(WIDE) as app:
        await to_branch(app, ObsoleteSubject())
        await app.press("x")
        await see(app, "Cannot tell, left alone")
        await app.press("G", "space")
        await see(app, "this one stays")


async def test_a_plan_can_be_narrowed_and_sorted(drive: Drive) -> None:
    async with drive(survey=True).at(WIDE) as app:
        await to_branch(app, ObsoleteSubject())
        await app.press("x")
        await see(app, "1 of 3 ticked")
        await app.press("slash", *"porter", "enter")
        table = app.app.screen.query_one(PlanTable)
        await app.until(lambda: len(table.model.shown) == 1)
        await app.press("escape")
        await app.until(lambda: len(table.model.shown) == 6)
        await app.press("s")
        await see(app, "size ↓")
