"""How soon a frame follows the one before: as soon as that has left as much time as it took.

Textual lets a screen draw at the beats of a clock of 60 a second, and passes over one of them: what
a key changes in two steps, as most do, is complete 17 to 33 ms after the first. This takes the
place of that clock, and so knows private names of Textual's screen.
"""

from __future__ import annotations

from asyncio import Handle, get_running_loop
from typing import Any

from textual.screen import Screen

LEAST, MOST = 0.003, 0.016
"""Seconds between two frames: for what else is to be done, and so that frames stay few where
something changes without an end."""


class Pace:
    """Lets one screen draw, once it has something to draw."""

    def __init__(self, screen: Screen[Any]) -> None:
        self._screen = screen
        self._due: Handle | None = None
        self._next = 0.0

    def resume(self) -> None:
        """There is something to draw."""
        if self._due is None:
            self._due = get_running_loop().call_at(self._next, self._begin)

    def pause(self) -> None:
        """It is being drawn, or is not to be seen any more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _begin(self) -> None:
        self._due = None
        # By the screen itself, after what it is told already.
        self._screen.call_next(self._draw)

    def _draw(self) -> None:
        clock = get_running_loop().time
        began = clock()
        self._screen._on_timer_update()  # pyright: ignore[reportPrivateUsage]
        now = clock()
        self._next = now + min(MOST, max(LEAST, now - began))


def draw_soon(screen: Screen[Any]) -> None:
    """Let a screen that shows nothing yet draw as soon as there is something to draw."""
    own: Any = screen
    own._Screen__update_timer = Pace(screen)
