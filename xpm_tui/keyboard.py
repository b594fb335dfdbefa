"""Keys from the terminal; `esc` is told almost at once.

A terminal sends esc as the byte with which other keys begin (`ESC [ A` is an arrow), so one has to
wait for what comes next. Textual waits 100 ms, and looks only ten times a second whether they have
passed: every step back took 100 to 200 ms. Other keys come in one piece but over the worst of
lines; the variable `ESCDELAY`, in milliseconds, lets one wait longer.
"""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from collections.abc import Mapping
from contextlib import suppress
from threading import Event
from typing import Any

from textual import constants
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

ESCAPE_DELAY = 0.025
"""Seconds in which what follows an esc belongs to it."""

CHUNK = 4096


class Leaving(Event):
    """That the app has left the terminal, for good or until another program gives it back.

    Who waits for keys is woken by it. There is one of these in a process, as long as that lives.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wakes, self._woken_by = os.pipe()
        """What can be read as soon as it is set."""
        os.set_blocking(self.wakes, False)

    def set(self) -> None:
        super().set()
        os.write(self._woken_by, b"!")

    def clear(self) -> None:
        super().clear()
        with suppress(BlockingIOError):
            os.read(self.wakes, CHUNK)


class QuickDriver(LinuxDriver):
    """The terminal, as Textual draws on it; the thread that reads keys sleeps until one comes."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] (whichever App it is)
            app, debug=debug, mouse=mouse, size=size
        )
        self.exit_event = self._leaving = Leaving()

    def run_input_thread(self) -> None:
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._leaving.wakes, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                waiting = parser._timeout_time is not None  # pyright: ignore[reportPrivateUsage]
                ready = selector.select(constants.ESCAPE_DELAY if waiting else None)
                if any(key.fd == self.fileno for key, _ in ready):
                    data = os.read(self.fileno, CHUNK)
                    if not data:
                        break
                    for message in parser.feed(decode(data)):
                        self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)


def tell_escape_soon(environment: Mapping[str, str]) -> None:
    """Wait less than Textual does for what follows an esc, unless the user said how long."""
    if not environment.get("ESCDELAY"):
        constants.ESCAPE_DELAY = ESCAPE_DELAY  # type: ignore[misc] # pyright: ignore[reportConstantRedefinition]
