"""Driving the app in a test: look at the disk now, press keys, read the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from textual.pilot import Pilot

from tests.patience import PATIENCE
from tests.tui.screen_text import screen_lines
from tests.tui.workspaces import NOON, FakeWorkspace
from xpm_tui.app import XpmApp
from xpm_tui.screens.arriving import Goal
from xpm_tui.screens.dialog import Dialog
from xpm_tui.screens.main import MainScreen
from xpm_tui.session import Sessions
from xpm_tui.widgets.right_side import RightSide
from xpm_tui.widgets.tree.tree import Tree

WIDE = (120, 40)
NARROW = (80, 24)


class Driven:
    """An app on a workspace, in the hand of a test."""

    def __init__(
        self,
        workspace: FakeWorkspace,
        *,
        readonly: bool = False,
        survey: bool = False,
        events: bool = False,
        sessions: Sessions | None = None,
        goal: Goal | None = None,
    ) -> None:
        self.app = XpmApp(
            workspace.paths,
            readonly=readonly,
            events=events,
            survey=survey,
            clock=lambda: NOON,
            sessions=sessions,
            goal=goal,
        )
        self.pilot: Pilot[None]
        self._running: AbstractAsyncContextManager[Pilot[None]]

    def at(self, size: tuple[int, int]) -> Driven:
        """In a terminal of this size."""
        self._running = self.app.run_test(size=size)
        return self

    async def __aenter__(self) -> Driven:
        self.pilot = await self._running.__aenter__()
        await self.until(lambda: self.app.store.checked == 1.0)
        await self.pilot.pause()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._running.__aexit__(kind, error, trace)

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until what they ask for is on the screen."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for something to become true."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                await self.pilot.pause(0.01)

    async def look(self, true: Callable[[], object]) -> None:
        """Read the disk until something is true."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                self.app.watcher.look_now()
                await self.pilot.pause(0.05)

    async def asked(self) -> str:
        """Wait for a question, and until it takes keys: the screen."""
        await self.until(
            lambda: isinstance(self.app.screen, Dialog) and self.app.focused is not None
        )
        return "\n".join(self.lines())

    async def settle(self) -> None:
        """Wait until the right side shows what the tree's cursor is on."""
        await self.until(lambda: self.right.trail[:1] == (self.tree.subject,))
        await self.pilot.pause()

    def around(self) -> list[str]:
        """What is around the panes: title, status and keys, and the tree between them."""
        lines = self.lines()
        return [lines[0], *(line for line in self.tree_lines() if line), *lines[-2:]]

    def lines(self) -> list[str]:
        """The screen."""
        return screen_lines(self.app)

    def row(self) -> str:
        """The tree's row under the cursor."""
        return next(line for line in self.tree_lines() if line.startswith("▌"))

    def tree_lines(self) -> list[str]:
        """The tree."""
        height = self.tree.size.height
        return [self.tree.render_line(y).text.rstrip() for y in range(height)]

    @property
    def main(self) -> MainScreen:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, MainScreen))

    @property
    def tree(self) -> Tree:
        return self.main.query_one(Tree)

    @property
    def right(self) -> RightSide:
        return self.main.query_one(RightSide)
