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

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

ESCAPE_DELAY = 0.025
"""Seconds in which what follows an esc belongs to it."""

NOW_AND_THEN = 0.1
"""Seconds after which it is looked whether the app has left."""

CHUNK = 4096


class QuickDriver(LinuxDriver):
    """The terminal, as Textual draws on it and asks it for keys."""

    def run_input_thread(self) -> None:
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                waiting = parser._timeout_time is not None  # pyright: ignore[reportPrivateUsage]
                wait = min(NOW_AND_THEN, constants.ESCAPE_DELAY) if waiting else NOW_AND_THEN
                if selector.select(wait):
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
