"""What is shown where nothing has run yet: what this folder is, and what to do next."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from xpm_engine.errors import XpmError
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.scan import is_workspace
from xpm_tui.actions.acting import ActingScreen
from xpm_tui.demo import FOLDER, TASKS, WORKSPACE, start_demo, write_demo
from xpm_tui.far.copies import is_copy
from xpm_tui.look import plain, plural
from xpm_tui.screens.other_workspaces import OtherWorkspaces
from xpm_tui.widgets.apart import run_apart
from xpm_tui.widgets.frame.key_bar import KeyBar
from xpm_tui.widgets.frame.status_bar import StatusBar, badge
from xpm_tui.widgets.frame.title_bar import TitleBar

if TYPE_CHECKING:
    from xpm_tui.app import XpmApp

COMMAND = "xpm run plan.py"
DEPTH = 2
"""How far below this folder, and its parent, other workspaces are looked for."""

MAX_FOLDERS = 500
"""Folders that are looked into for that; then it is enough."""


class Choice(Enum):
    """What can be chosen here."""

    DEMO = "demo"
    OTHER = "other"
    HELP = "help"


@dataclass(frozen=True)
class FolderFacts:
    """What is said of the folder."""

    path: str
    writable: bool
    workspace: bool
    others: int
    """How many things that are not ours stand in it."""


class EmptyScreen(ActingScreen[None]):
    """Lies over the main screen until the first experiment is there; writes nothing."""

    CSS_PATH = "empty.tcss"
    app: XpmApp

    def __init__(self, workspace: WorkspacePaths, problem: str = "") -> None:
        super().__init__()
        self._workspace = workspace
        self._problem = problem
        self._near: tuple[str, ...] = ()
        self._lately: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        yield TitleBar(id="title")
        yield Static(self._words(), id="words")
        yield OptionList(*self._options(), id="choices", compact=True)
        yield StatusBar(id="status")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        far = self.app.far
        self.query_one(TitleBar).show_empty(self._workspace, place="" if far is None else far.title)
        self.query_one(OptionList).focus()
        if self.app.far is None:
            run_apart(self, self._look_around)
        self._tick()
        self.set_interval(1.0, self._tick)

    @property
    def _lies(self) -> bool:
        """Whether it still lies over the main screen: when it goes, its widgets go first."""
        return self.is_mounted and self in self.app.screen_stack

    def _tick(self) -> None:
        if not self._lies:
            return
        store, app = self.app.store, self.app
        told = badge(app.watcher.hearing, store.checked, store.problem, readonly=app.readonly)
        self.query_one(StatusBar).show_facts(told)
        self.query_one(KeyBar).show(self.possible())

    def _words(self) -> Text:
        if self.app.far is not None:
            return _words_there(self.app.far.title, self._problem)
        facts = folder_facts(self._workspace)
        name = os.path.basename(facts.path) or facts.path
        lines = [
            Text("Nothing has run here yet.", "xpm.title"),
            Text(),
            Text(plain(_sentence(facts))),
            Text("Nothing was written to it. This screen fills by itself when a plan starts."),
            Text(),
            Text("Start one in another pane:"),
            Text.assemble("    ", (COMMAND.ljust(32), "xpm.key"), "y copies this line"),
            Text("whose plan says"),
            Text(f'    with experiment("{plain(name)}", "my-first") as xp: ...', "xpm.key"),
        ]
        if self._problem:
            lines[0:1] = [Text(plain(self._problem), "xpm.bad")]
        return Text("\n").join(lines)

    def _options(self) -> list[Option]:
        if self.app.far is not None:
            return [Option(Text("Keys and help"), id=Choice.HELP.value)]
        demo = os.path.join(os.getcwd(), FOLDER)
        return [
            Option(
                Text.assemble(
                    f"Try the demo: {TASKS} real tasks, about a minute, no network\n",
                    (plain(f"  in {demo}; this folder is left alone"), "xpm.faint"),
                ),
                id=Choice.DEMO.value,
            ),
            *self._others(),
            Option(Text("Keys and help"), id=Choice.HELP.value),
        ]

    def _others(self) -> list[Option]:
        """One row however many there are: what comes behind it stays on the screen."""
        found = [f"{len(self._near):,} found near here"] if self._near else []
        found += [f"{len(self._lately):,} used lately"] if self._lately else []
        words = f"Open another workspace: {', '.join(found)}"
        return [Option(Text(words), id=Choice.OTHER.value)] if found else []

    def _pick_other(self) -> None:
        def opened(path: str | None) -> None:
            if path is not None:
                self.app.open_workspace(WorkspacePaths.at(path))

        self.app.push_screen(OtherWorkspaces(self._near, self._lately), opened)

    def _look_around(self) -> None:
        """In a thread: disks can be slow."""
        near = workspaces_near(self._workspace.root)
        sessions = self.app.sessions
        known = {self._workspace.root, *near}
        recent = () if sessions is None else sessions.recent()
        # What stands here for a workspace of another machine is none by itself.
        lately = tuple(path for path in recent if path not in known and not is_copy(path))
        self.app.call_later(self._show_others, near, lately)

    def _show_others(self, near: tuple[str, ...], lately: tuple[str, ...]) -> None:
        if (near or lately) and self._lies:
            self._near, self._lately = near, lately
            options = self.query_one(OptionList)
            options.clear_options()
            options.add_options(self._options())
            options.highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        match event.option_id:
            case Choice.DEMO.value:
                self._start_demo()
            case Choice.HELP.value:
                self.app.do_help()
            case Choice.OTHER.value:
                self._pick_other()
            case _:
                pass

    def _start_demo(self) -> None:
        folder = Path(os.getcwd()) / FOLDER
        if self.app.readonly:
            self.say("the app was started with --readonly", bad=True)
            return
        try:
            write_demo(folder)
            start_demo(folder, failure=False)
        except XpmError as error:
            self.say(f"{error.what}: {error.where or folder}", bad=True)
            return
        self.app.open_workspace(WorkspacePaths.at(folder / WORKSPACE))

    def do_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def do_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    def do_open(self) -> None:
        self.query_one(OptionList).action_select()

    def do_copy(self) -> None:
        self.app.copy_text(COMMAND)

    def do_back(self) -> None:
        self.say("q leaves")

    def do_quit(self) -> None:
        self.app.exit()


def _words_there(place: str, problem: str) -> Text:
    """What is said of a workspace on another machine."""
    if problem:
        return Text("\n").join([Text(plain(place), "xpm.title"), Text(plain(problem), "xpm.bad")])
    lines = [
        Text(plain(f"Nothing has run in {place} yet."), "xpm.title"),
        Text("This screen fills by itself when a plan starts there."),
    ]
    return Text("\n").join(lines)


def folder_facts(workspace: WorkspacePaths) -> FolderFacts:
    """What there is to say of a folder in which nothing has run."""
    try:
        names = os.listdir(workspace.root)
    except OSError:
        names = []
    ours = {os.path.basename(path) for path in (workspace.jobs, workspace.experiments)}
    others = [name for name in names if name not in ours and not name.startswith(".")]
    return FolderFacts(
        path=workspace.root,
        writable=os.access(workspace.root, os.W_OK),
        workspace=is_workspace(workspace),
        others=len(others),
    )


def _sentence(facts: FolderFacts) -> str:
    kind = "holds no experiment"
    if not facts.workspace and facts.others:
        kind = f"is no workspace: it holds {plural(facts.others, 'other thing')} and no experiment"
    writable = "is writable" if facts.writable else "is not writable by you"
    return f"{facts.path} exists, {writable}, and {kind}."


def workspaces_near(root: str) -> tuple[str, ...]:
    """Workspaces in this folder and beside it; links are not followed."""
    found: list[str] = []
    looked = 0
    level = [root, os.path.dirname(root)]
    for _ in range(DEPTH):
        below: list[str] = []
        for folder in level:
            for path in _folders(folder):
                looked += 1
                if looked > MAX_FOLDERS:
                    return tuple(found)
                if path != root and path not in found and _has_experiments(path):
                    found.append(path)
                elif path not in level:
                    below.append(path)
        level = below
    return tuple(found)


def _folders(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return sorted(
                entry.path
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []


def _has_experiments(path: str) -> bool:
    workspace = WorkspacePaths(path)
    return os.path.isdir(workspace.experiments) and os.path.isdir(workspace.jobs)
