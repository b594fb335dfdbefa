"""A fault of the app's own in one of its threads: what waits for it ends, it is told and kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tests.patience import PATIENCE
from tests.tui.driving import WIDE, Driven
from tests.tui.hosting import store_of
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_engine.errors import XpmError
from xpm_engine.verbs.fetch import Fetcher
from xpm_engine.workspace.records.mirror import Fetched
from xpm_tui import own_faults
from xpm_tui.cleaning.obsolescence import Obsolescence
from xpm_tui.cleaning.removal import Removal
from xpm_tui.deeds import HereDeeds
from xpm_tui.far.place import open_place
from xpm_tui.fetching import Fetching, Told, Wanted
from xpm_tui.own_faults import MOST_KEPT, foreseen, log_path, own_fault, told
from xpm_tui.screens import dialog
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.screens.filter_screen import FilterScreen
from xpm_tui.widgets.cleaning import plan_pane
from xpm_tui.widgets.job.files import Files
from xpm_tui.widgets.tree.tree import Tree

Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]

JOB = ("j", "j", "l", "j")
WORDS = "a fault of xpm-tui itself: KeyError: 'nobody'"


def fault(*_: object, **__: object) -> NoReturn:
    """What nobody foresaw."""
    raise KeyError("nobody")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialog, "GRACE", 0.01)
    monkeypatch.setattr(plan_pane, "GRACE", 0.0)


def kept() -> str:
    return Path(log_path()).read_text(encoding="utf-8")


def is_kept() -> bool:
    return kept().count("KeyError: 'nobody'") == 1 and "in fault" in kept()


def test_it_is_kept_with_its_traceback_for_its_user_alone() -> None:
    with pytest.raises(XpmError) as raised, foreseen():
        fault()
    assert told(raised.value) == f"{WORDS}: {log_path()}"
    assert is_kept()
    assert stat.S_IMODE(os.stat(log_path()).st_mode) == 0o600


def test_what_was_foreseen_is_no_fault() -> None:
    with pytest.raises(XpmError, match=r"^the disk is full$"), foreseen():
        raise XpmError("the disk is full")
    assert not os.path.exists(log_path())


def test_the_log_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_faults, "MOST_KEPT", 100)
    assert MOST_KEPT > 100
    for text in ("one", "two", "three"):
        own_fault(ValueError(text * 50))
    assert kept().count("ValueError") == 1
    assert Path(log_path() + ".1").read_text().count("ValueError") == 1


def test_a_log_that_can_not_be_written_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_faults, "users_state", lambda: "/dev/null/there")
    assert own_fault(KeyError("nobody")).what == WORDS


def test_a_fetch_ends(workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fetcher, "fetch", fault)
    wanted = Wanted(FakeJob("ir.learn", "x").key, "learn x", Fetched("alpha", "/ws", 0, 1))
    heard: list[Told] = []
    fetching = Fetching(workspace.paths, (wanted,), heard.append)
    fetching.start()
    assert fetching.join(PATIENCE)
    assert (heard[-1].over, heard[-1].bad, heard[-1].words.startswith(WORDS)) == (True, True, True)
    assert is_kept()


@pytest.mark.parametrize("part", ["survey", "measure"])
def test_what_is_obsolete_is_looked_for_again(
    workspace: FakeWorkspace, jobs: Jobs, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(HereDeeds, part, fault)
    failed: list[XpmError] = []
    shown: list[Removal] = []
    looking = Obsolescence(
        store_of(workspace),
        HereDeeds(workspace.paths),
        lambda removal, purged: shown.append(removal),
        failed.append,
    )
    looking.tick()
    assert looking._thread is not None
    looking._thread.join()
    assert [error.what for error in failed] == [WORDS]
    assert is_kept()
    monkeypatch.undo()
    looking._next = 0.0
    looking.tick()
    looking._thread.join()
    assert shown[-1].measured


async def test_a_plan_that_can_not_be_made_or_moved(
    drive: Drive, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive().at(WIDE) as app:
        key = jobs["old20"].key
        run = app.app.store.home_of(key)
        assert run is not None
        app.tree.reveal(key, run)
        await app.settle()
        with monkeypatch.context() as patch:
            patch.setattr(HereDeeds, "plan", fault)
            await app.press("x")
            await app.until(lambda: WORDS in "\n".join(app.lines()))
        assert is_kept()
        await app.press("escape", "x")
        await app.until(lambda: "1 of 1 ticked" in "\n".join(app.lines()))
        with monkeypatch.context() as patch:
            patch.setattr(HereDeeds, "move", fault)
            await app.press("X")
            await app.until(lambda: WORDS in "\n".join(app.lines()))
        # It can be tried again.
        await app.press("X")
        await app.until(lambda: not isinstance(app.app.screen, CleanScreen))
        assert app.app.changes
        with monkeypatch.context() as patch:
            patch.setattr(HereDeeds, "take_back", fault)
            await app.press("z")
            await app.until(lambda: WORDS in app.lines()[-2])
        assert app.app.changes


async def test_a_key_on_jobs(drive: Drive, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HereDeeds, "plan_retry", fault)
    async with drive().at(WIDE) as app:
        await app.press(*JOB, "R")
        await app.until(lambda: WORDS in app.lines()[-2])
    assert is_kept()


async def test_a_filter_that_takes_a_thread(
    drive: Drive, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive().at(WIDE) as app:
        with monkeypatch.context() as patch:
            patch.setattr(FilterScreen, "_answer", fault)
            await app.press("/", *"size>0", "enter")
            await app.until(lambda: WORDS in app.lines()[-2])
        assert "in fault" in kept()
        await app.press("/", "backspace", *"1kB", "enter")
        await app.until(lambda: app.app.store.wanted is not None)


async def test_what_reads_the_disk_for_a_pane_or_a_row(
    drive: Drive, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with drive().at(WIDE) as app:
        with monkeypatch.context() as patch:
            patch.setattr(Files, "read", fault)
            await app.press(*JOB, "enter", "5")
            await app.until(lambda: WORDS in app.lines()[-2])
        assert is_kept()
        await app.press("1", "5")
        await app.until(lambda: "job.json" in "\n".join(app.lines()))
        with monkeypatch.context() as patch:
            patch.setattr(Tree, "_stat", fault)
            await app.press("q", "j", "j", "j", "l")
            await app.until(lambda: kept().count("KeyError: 'nobody'") > 1)
        await app.until(lambda: app.tree._logs)


def test_a_host_that_is_connected_to(tmp_path: Path) -> None:
    with pytest.raises(XpmError) as raised:
        open_place(f"ssh://there{tmp_path}", caches=str(tmp_path / "far"), dial=fault)
    assert raised.value.what == WORDS
    assert is_kept()
