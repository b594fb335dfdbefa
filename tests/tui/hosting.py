"""An app that shows one widget, with the styles and keys of the real one, and a store to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rich.theme import Theme
from textual.app import App, ComposeResult
from textual.widget import Widget

from tests.tui.workspaces import FakeWorkspace
from xpm_engine.workspace import scan
from xpm_tui.actions.table import bindings
from xpm_tui.deeds import Deeds
from xpm_tui.look.themes import DARK
from xpm_tui.store import Delta, RunKey, Store

Shown = TypeVar("Shown", bound=Widget)


class Host(App[None]):
    """Shows a widget; keys do what the table of actions says, without the rest of the app."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = bindings()

    def __init__(self, widget: Widget, deeds: Deeds | None = None) -> None:
        super().__init__()
        self.deeds = deeds
        self.console.push_theme(Theme(dict(DARK.styles), inherit=True))
        self.register_theme(DARK.theme)
        self.theme = DARK.theme.name
        self.shown = widget

    def compose(self) -> ComposeResult:
        yield self.shown

    def action_act(self, name: str, *arguments: int) -> None:
        node = self.focused or self.shown
        for place in node.ancestors_with_self:
            do: Callable[..., object] | None = getattr(place, f"do_{name}", None)
            if do is not None and do(*arguments) is not False:
                return


def store_of(workspace: FakeWorkspace) -> Store:
    """A store that has read all of a workspace."""
    paths = workspace.paths
    store = Store(paths)
    store.apply(read_all(workspace))
    return store


def read_all(workspace: FakeWorkspace) -> Delta:
    """Everything on the disk."""
    paths = workspace.paths
    names = scan.list_experiments(paths)
    return Delta(
        jobs={key: scan.read_job(paths, key) for key in scan.list_jobs(paths)},
        runs={
            RunKey(name, run): scan.read_run(paths, name, run)
            for name in names
            for run in scan.list_runs(paths, name)
        },
        experiments=tuple(names),
    )
