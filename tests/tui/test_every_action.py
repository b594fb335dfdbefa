"""Every action of the table, at both sizes: it acts where it can, else it says why not."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tui.driving import NARROW, WIDE, Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.actions.table import ACTIONS, BY_ID
from xpm_tui.outside.programs import Errand
from xpm_tui.screens import clean, dialog
from xpm_tui.screens.copy_as import CopyAsScreen
from xpm_tui.screens.dialog import Dialog
from xpm_tui.screens.help import HelpScreen
from xpm_tui.screens.palette import Palette
from xpm_tui.widgets.log.view import LogView
from xpm_tui.widgets.table.table import Table

Jobs = dict[str, FakeJob]
Drive = Callable[..., Driven]
Check = Callable[[Driven], object]

JOB = ("j", "j", "l", "j")
"""To `learn lr=0.1 seed=1`, which failed."""
LIVE = (*JOB, "j", "j", "j")
"""To `learn lr=0.01 seed=1`, which runs."""
TABLE = ("j", "j", "enter")
LOG = (*LIVE, "L")


@dataclass(frozen=True)
class Scene:
    """How an action is shown to act, and to be refused."""

    before: tuple[str, ...]
    acts: Check
    """True once it has acted."""
    refused: str = ""
    """What is said where it can't act; empty where it always can."""
    where: tuple[str, ...] = ()
    """The keys that lead to where it can't."""
    readonly: bool = False
    """Whether it can't only because the app was started with --readonly."""


def _row(text: str) -> Check:
    return lambda app: text in app.row()


def _seen(text: str) -> Check:
    return lambda app: text in "\n".join(app.lines())


def _unseen(text: str) -> Check:
    return lambda app: text not in "\n".join(app.lines())


def _shows(screen: type[object]) -> Check:
    return lambda app: isinstance(app.app.screen, screen)


def _errand(command: str) -> Check:
    return lambda app: any(command in errand.command for errand in _errands(app))


def _errands(app: Driven) -> list[Errand]:
    found: list[Errand] = app.app.__dict__["errands"]
    return found


def _table(app: Driven) -> Table[object]:
    reader = app.right.view.reader()
    assert isinstance(reader, Table)
    return reader


def _log(app: Driven) -> LogView:
    return app.main.query_one(LogView)


IN_TABLE = "works in a table"
IN_LOG = "works in a log"
READONLY = "--readonly"

SCENES: dict[str, Scene] = {
    "down": Scene((), _row("index")),
    "up": Scene(("j",), _row("drmm")),
    "first": Scene(JOB, _row("Failed")),
    "last": Scene((), _row("All jobs")),
    "page_down": Scene((), _row("All jobs")),
    "page_up": Scene(("j",), _row("Failed")),
    "half_down": Scene(("g",), lambda app: "Failed" not in app.row()),
    "half_up": Scene(("G",), lambda app: "All jobs" not in app.row()),
    "deeper": Scene(("j", "j"), lambda app: any("lr=0.1" in line for line in app.tree_lines())),
    "shallower": Scene(("j", "j"), _row("drmm")),
    "open": Scene(("j", "j"), lambda app: app.right.has_focus_within),
    "back": Scene(TABLE, lambda app: app.tree.has_focus),
    "quit": Scene(TABLE, lambda app: app.tree.has_focus),
    "next_pane": Scene((), lambda app: app.right.has_focus_within),
    "previous_pane": Scene((), lambda app: app.right.has_focus_within),
    "tab": Scene(TABLE, _seen("[1 Jobs]")),
    "alone": Scene((), lambda app: not app.right.display),
    "next_sibling": Scene(JOB, _row("seed=2"), "there is no other beside it that way", ("G",)),
    "previous_sibling": Scene(
        (*JOB, "j"), _row("seed=1"), "there is no other beside it that way", JOB
    ),
    "find": Scene((), _seen("25 of 25")),
    "next_hit": Scene(LOG, lambda app: "press / to look" in _log(app).status.notice),
    "previous_hit": Scene((), _seen("every row shown is a hit")),
    "next_trouble": Scene(
        (*JOB[:3],), _row("seed=1"), "no unfolded job below is in trouble", ("G",)
    ),
    "previous_trouble": Scene(
        (*JOB, "j"), _row("seed=1"), "no unfolded job above is in trouble", ("g",)
    ),
    "mark": Scene(JOB, _seen("1 marked"), "there is no job here to mark", ("j", "j", "j", "j")),
    "mark_range": Scene(JOB, lambda app: app.tree.chosen()),
    "mark_all": Scene((*JOB,), _seen("9 marked"), "no job is unfolded"),
    "unmark_all": Scene((*JOB, "space"), _unseen("marked")),
    "group": Scene((), _seen("by tag"), "works in the tree", TABLE),
    "sort": Scene(TABLE, lambda app: _table(app).model.column is not None, IN_TABLE),
    "sort_reverse": Scene((*TABLE, "s"), lambda app: _table(app).model.reverse, IN_TABLE),
    "log": Scene(LIVE, lambda app: isinstance(app.app.focused, LogView), "there is no job under"),
    "follow": Scene(LOG, lambda app: not _log(app).status.following, IN_LOG),
    "hits_only": Scene(LOG, lambda app: "press / to look" in _log(app).status.notice, IN_LOG),
    "wrap": Scene(LOG, lambda app: _log(app).status.wrap, IN_LOG),
    "copy": Scene((), lambda app: app.app.clipboard == "drmm"),
    "copy_as": Scene(JOB, _shows(CopyAsScreen)),
    "editor": Scene((*LIVE,), _errand("vi"), READONLY, LIVE, readonly=True),
    "pager": Scene(LIVE, _errand("less"), "there is no log", ("G",)),
    "shell": Scene(LIVE, _errand("/bin/sh"), READONLY, LIVE, readonly=True),
    "pin": Scene(JOB, _seen("pinned 1 job"), READONLY, JOB, readonly=True),
    "kill": Scene(LIVE, _shows(Dialog), "none of them runs or is queued", ("G", "k")),
    "retry": Scene(JOB, _shows(Dialog), READONLY, JOB, readonly=True),
    "remove": Scene(JOB, _shows(clean.CleanScreen), READONLY, JOB, readonly=True),
    "undo": Scene((*JOB, "p", "WAIT"), _seen("unpinned 1 job"), "nothing was changed"),
    "reread": Scene((), lambda app: app.app.store.checked == 1.0),
    "redraw": Scene((), _seen("drmm")),
    "palette": Scene((), _shows(Palette)),
    "help": Scene((), _shows(HelpScreen)),
}

ELSEWHERE = {
    "budget": "screens/test_obsolete.py",
    "carry_out": "screens/test_main.py",
    "fetch": "screens/test_fetch.py",
    "columns": "widgets/test_right_side.py",
}
"""What is shown in the tests of the screen that it belongs to, by the file."""


@pytest.fixture(autouse=True)
def _set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "vi")
    monkeypatch.setenv("PAGER", "less")
    monkeypatch.setenv("SHELL", "/bin/sh")
    monkeypatch.setattr(dialog, "GRACE", 0.01)

    def keep(app: object, errand: Errand) -> None:
        app.__dict__.setdefault("errands", []).append(errand)

    monkeypatch.setattr("xpm_tui.app.XpmApp.run_errand", keep)


def test_no_action_is_without_a_test() -> None:
    assert SCENES.keys() | ELSEWHERE.keys() == BY_ID.keys()
    for action, file in ELSEWHERE.items():
        key = BY_ID[action].keys[0]
        assert f'"{key}"' in (Path(__file__).parent / file).read_text(encoding="utf-8")


async def _go(app: Driven, keys: tuple[str, ...]) -> None:
    for key in keys:
        if key == "WAIT":
            await app.until(lambda: app.app.changes)
        else:
            await app.press(key)
    await app.pilot.pause()


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("name", [action.id for action in ACTIONS if action.id in SCENES])
async def test_it_acts(drive: Drive, jobs: Jobs, size: tuple[int, int], name: str) -> None:
    scene, key = SCENES[name], BY_ID[name].keys[0]
    async with drive().at(size) as app:
        app.app.__dict__["errands"] = []
        await _go(app, scene.before)
        await app.press(key)
        await app.until(lambda: scene.acts(app))


REFUSED = [action.id for action in ACTIONS if action.id in SCENES and SCENES[action.id].refused]


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("name", REFUSED)
async def test_it_says_why_not(
    drive: Drive, workspace: FakeWorkspace, jobs: Jobs, size: tuple[int, int], name: str
) -> None:
    scene, key = SCENES[name], BY_ID[name].keys[0]
    async with drive(readonly=scene.readonly).at(size) as app:
        await _go(app, scene.where)
        await app.press(key)
        await app.until(lambda: scene.refused in app.lines()[-2])
    assert not os.path.exists(workspace.paths.trash)
