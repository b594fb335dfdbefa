"""Fifty live jobs write, files break and folders vanish while somebody types at random.

``XPM_TORTURE_KEYS`` (600) says how many keys, ``XPM_TORTURE_SEED`` (1) which ones::

    XPM_TORTURE_KEYS=10000 XPM_TORTURE_SEED=3 python -m pytest -s tests/tui/test_torture.py
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from textual import events
from textual.keys import key_to_character
from textual.pilot import Pilot

from tests.patience import PATIENCE
from tests.privileges import permissions_count
from tests.tui.chaos import Chaos, expected_states
from tests.tui.driving import Driven
from tests.tui.scribblers import writing
from tests.tui.workspaces import FakeWorkspace
from xpm_engine.workspace import processes
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_tui import clock
from xpm_tui.app import XpmApp
from xpm_tui.screens.main import MainScreen
from xpm_tui.widgets.subject_view import SubjectView
from xpm_tui.widgets.table.table import Table
from xpm_tui.widgets.tree.model import RowKey
from xpm_tui.widgets.tree.tree import Tree

KEYS = int(os.environ.get("XPM_TORTURE_KEYS", "600"))
SEED = int(os.environ.get("XPM_TORTURE_SEED", "1"))
AT_ONCE = 5
"""Keys between two things that happen."""

RESIZES = 200
"""One for three things that happen, until there were as many."""

TYPED = [
    *"jjjjkkkkllllhhhgGeEnNmtsSvyzpxXCLfw123456789,.u*rabd-=><:~/?\"' ",
    *("enter", "escape", "escape", "backspace", "tab", "shift+tab", "space", "down", "up"),
    *("left", "right", "pagedown", "pageup", "ctrl+d", "ctrl+u", "ctrl+l", "ctrl+p", "home", "end"),
    *("slash", "ampersand", "asterisk", "comma", "full_stop", "question_mark"),
]
"""Every key but those that leave the app, or start something outside of it."""

TYPED_AHEAD = 0.5
"""How often the keys all lie there before the first is read."""

HANDS = 5
"""Times that a key, and what follows from it, is handed on."""

ENOUGH = 3_000
"""Keys in which each thing happens."""

NAMED = {" ": "space", ",": "comma", ".": "full_stop", "?": "question_mark", "/": "slash"}


@pytest.fixture
def alive() -> Iterator[ProcessIdentity]:
    """A process that may be killed by a key that happens to say so."""
    with subprocess.Popen(["sleep", "3600"], start_new_session=True) as process:
        identity = processes.identity_of(process.pid)
        assert identity is not None
        yield identity
        process.kill()


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have left the app, or started something outside of it."""
    found: list[str] = []
    for name in ("exit", "run_errand"):
        monkeypatch.setattr(XpmApp, name, lambda *_, name=name, **__: found.append(name))
    return found


@pytest.fixture
def forbidding() -> Iterator[bool]:
    """What is forbidden is forbidden to this test as well, whoever runs it."""
    with permissions_count() as counts:
        yield counts


async def test_nothing_breaks_and_the_cursor_stays_where_it_was(
    workspace: FakeWorkspace,
    alive: ProcessIdentity,
    left: list[str],
    forbidding: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chaos = Chaos(workspace, alive, SEED)
    monkeypatch.setattr(clock, "now", lambda: chaos.clock)
    fingers = random.Random(SEED)
    driven = Driven(workspace)
    driven.app.clock = lambda: chaos.clock
    looks = Looks(driven)
    trail: list[str] = []
    resized = 0
    async with driven.at((120, 40)) as app:
        with writing(workspace, chaos.jobs[: chaos.live]):
            for count in range(0, KEYS, AT_ONCE):
                before = Stand(app)
                trail.append(chaos.step())
                await looks.another()
                before.check_nothing_moved(app, trail)
                if count % (3 * AT_ONCE) == 0 and resized < RESIZES:
                    resized += 1
                    await resize(app.pilot, fingers)
                keys = [NAMED.get(key, key) for key in fingers.choices(TYPED, k=AT_ONCE)]
                trail.append(" ".join(keys))
                await type_keys(app, keys, ahead=fingers.random() < TYPED_AHEAD)
                check_cursors(app, trail)
                if fingers.random() < 0.2:
                    chaos.mend()
                say(count, trail)
        await comes_right(app, chaos)
    assert app.app.return_code in (0, None), trail[-20:]
    assert driven.app.watcher.join(5)
    if KEYS >= ENOUGH:
        assert not chaos.missing - ({"forbid"} if not forbidding else set())
        assert resized == RESIZES


async def type_keys(app: Driven, keys: list[str], *, ahead: bool) -> None:
    """Keys that all lie there when the first of them is read, or one after the other."""
    driver = app.app._driver
    assert driver is not None
    for key in keys:
        event = events.Key(key, key_to_character(key))
        event.set_sender(app.app)
        driver.send_message(event)
        if not ahead:
            await handled(app)
    await handled(app)


async def handled(app: Driven) -> None:
    """What was sent went from app to screen to widget, and what it asked for back again."""
    for _ in range(HANDS):
        await app.pilot.pause(0)


class Looks:
    """Looks at the disk that have come to the screen."""

    def __init__(self, driven: Driven) -> None:
        self._driven = driven
        self._count = 0
        reader: Any = driven.app.watcher._reader
        read = reader.read

        def counted(look: Any) -> Iterator[Any]:
            yield from read(look)
            self._count += look.everything

        reader.read = counted

    async def another(self) -> None:
        """Look at everything, and wait until what was found is shown."""
        watcher, before = self._driven.app.watcher, self._count
        watcher.look_now()
        async with asyncio.timeout(PATIENCE):
            # The first may have begun before what is to be found had happened.
            while self._count < before + 1 or watcher._woken:
                await asyncio.sleep(0.002)
        await self._driven.pilot.pause(0)


def say(count: int, trail: list[str]) -> None:
    """How far a long run is."""
    if count % 500 == 0 and KEYS > ENOUGH:
        print(f"{count} keys: {trail[-2]}, {trail[-1]}", file=sys.stderr)


async def resize(pilot: Pilot[Any], fingers: random.Random) -> None:
    """To any size, a hopelessly small one too."""
    width, height = fingers.randrange(20, 200), fingers.randrange(5, 60)
    await pilot.resize_terminal(width, height)


async def comes_right(app: Driven, chaos: Chaos) -> None:
    """In the end the screen says what the folders say.

    These are read at each look: what a key began may still move some.
    """
    while not isinstance(app.app.screen, MainScreen):
        await app.press("escape")
        await app.pilot.pause(0.4)
    app.main._type("")
    chaos.settle()

    def wrong() -> object:
        store, wanted = app.app.store, expected_states(chaos.workspace)
        known = {record.key: record.state.value for record in store.records()}
        differing = dict(known.items() ^ wanted.items())
        told = {key: (known.get(key), wanted.get(key)) for key in differing}
        return store.problem or told

    with suppress(TimeoutError):
        await app.look(lambda: not wrong())
    assert not wrong()
    check_cursors(app, ["settled"])


class Stand:
    """What is under the cursors and marked before something happens on the disk."""

    def __init__(self, app: Driven) -> None:
        self.tree = app.tree._cursor_key
        self.tables = {
            table: (table._cursor_key, about(table))
            for table in tables(app)
            if table.is_attached and not table._rests
        }
        self.marks: frozenset[JobKey] = app.main._marks

    def check_nothing_moved(self, app: Driven, trail: list[str]) -> None:
        """The cursors are on the same rows, if these are still there; marks are the same."""
        said = trail[-6:]
        tree = app.tree
        if self.tree is not None and tree.model.place(self.tree) is not None:
            assert tree._cursor_key == self.tree, said
        for table, (key, subject) in self.tables.items():
            same = table.is_attached and about(table) == subject
            if key is not None and table.model.index(key) is not None and same:
                assert table._cursor_key == key, (*said, str(table), subject)
        assert app.main._marks == self.marks, said


def about(table: Table[Any]) -> object:
    """What the table is a list of: it follows the tree's cursor after a moment."""
    views = (each for each in table.ancestors if isinstance(each, SubjectView))
    return next((view.subject for view in views), None)


def tables(app: Driven) -> list[Table[Any]]:
    return [table for table in app.main.query(Table) if table.display]


def check_cursors(app: Driven, trail: list[str]) -> None:
    """What is under each cursor is what is drawn there, and what an action would be about."""
    said = trail[-6:]
    tree: Tree = app.tree
    if tree.model.rows:
        row = tree.model.rows[tree._cursor]
        assert row.key == tree._cursor_key, said
        assert tree.subject == row.subject, said
        assert drawn(tree, tree._cursor, 0) is not False, said
        assert len({each.key for each in tree.model.rows}) == len(tree.model.rows), said
        assert isinstance(row.key, RowKey)
    for table in tables(app):
        shown = table.model.shown
        if shown:
            assert table.model.key(shown[table._cursor]) == table._cursor_key, said
            assert drawn(table, table._cursor, table._header) is not False, said


def drawn(widget: Tree | Table[Any], cursor: int, header: int) -> bool | None:
    """Whether the cursor is drawn at its row; None where there is no room for it."""
    y = cursor - widget.scroll_offset.y + header
    if not widget.size or not header <= y < widget.size.height:
        return None
    return widget.render_line(y).text.startswith("▌")
