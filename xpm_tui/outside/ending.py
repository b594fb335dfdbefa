"""How the app ends when its terminal does, or when a signal asks it to.

Textual notices neither: without its terminal an app goes on for ever (a window that was closed
under ``nohup``, a tmux server that was killed), and one that SIGTERM ends leaves the terminal raw.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from collections.abc import Callable
from functools import partial
from threading import Event, Thread
from typing import Any

from textual.app import App

GONE = 128 + signal.SIGHUP
"""The exit code of who lost its terminal, as a shell tells it."""

LAST = 3.0
"""Seconds that an app without a terminal has to keep its place."""


def end_with_terminal(app: App[Any], keep: Callable[[], None]) -> None:
    """End the process as soon as the terminal is gone; `keep` is called before, in the app's loop.

    Nothing can be painted any more by then, and the loop may be stuck in what it wanted to paint.
    """
    terminal = sys.__stdin__
    if terminal is None or not terminal.isatty():
        return

    def keep_and_tell(kept: Event) -> None:
        keep()
        kept.set()

    def wait() -> None:
        poll = select.poll()
        # A hang-up is told even to those who ask for nothing.
        poll.register(terminal, 0)
        poll.poll()
        kept = Event()
        app.call_later(keep_and_tell, kept)
        kept.wait(LAST)
        os._exit(GONE)

    Thread(target=wait, daemon=True, name="terminal").start()


def end_with_signals(app: App[Any]) -> None:
    """Leave as the key does at SIGTERM and SIGHUP, with the exit code that tells of it."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, partial(app.exit, return_code=128 + number))
