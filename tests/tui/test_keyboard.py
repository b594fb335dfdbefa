"""Keys from the terminal: who waits for them sleeps until one comes, or the app leaves."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from textual import events
from textual.message import Message

from tests.patience import PATIENCE
from xpm_tui.keyboard import Leaving, QuickDriver


class Waiting(QuickDriver):
    """Reads keys from a pipe, in a thread."""

    def __init__(self, source: int) -> None:
        # Nothing of a terminal is there.
        self.fileno = source
        self._debug = False
        self.exit_event = self._leaving = Leaving()
        self.told: list[Message] = []
        self.thread = Thread(target=self.run_input_thread)

    def process_message(self, message: Message) -> None:
        self.told.append(message)

    def until(self, keys: list[str]) -> None:
        """Wait until these keys were told."""
        deadline = time.monotonic() + PATIENCE
        while [each.key for each in self.told if isinstance(each, events.Key)] != keys:
            assert time.monotonic() < deadline, self.told
            time.sleep(0.005)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """How long each wait for a key may last, as they begin."""
    found: list[float | None] = []
    real = selectors.SelectSelector.select

    def noted(self: selectors.SelectSelector, timeout: float | None = None) -> Any:
        found.append(timeout)
        return real(self, timeout)

    monkeypatch.setattr(selectors.SelectSelector, "select", noted)
    return found


def test_it_sleeps_until_a_key_comes_and_until_the_app_leaves(
    pipe: tuple[int, int], looks: list[float | None]
) -> None:
    driver = Waiting(pipe[0])
    driver.thread.start()
    os.write(pipe[1], b"a")
    driver.until(["a"])
    time.sleep(0.25)
    assert looks == [None, None]
    os.write(pipe[1], b"\x1b")
    driver.until(["a", "escape"])
    assert looks[2] is not None
    driver.exit_event.set()
    driver.thread.join(PATIENCE)
    assert not driver.thread.is_alive()


def test_after_another_program_had_the_terminal_it_sleeps_as_before(
    pipe: tuple[int, int], looks: list[float | None]
) -> None:
    driver = Waiting(pipe[0])
    driver.exit_event.set()
    driver.exit_event.set()
    driver.run_input_thread()
    driver.exit_event.clear()
    driver.thread.start()
    os.write(pipe[1], b"b")
    driver.until(["b"])
    time.sleep(0.25)
    assert len(looks) == 2
    driver.exit_event.set()
    driver.thread.join(PATIENCE)
    assert not driver.thread.is_alive()
