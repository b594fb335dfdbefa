"""A thread that does one thing after the other."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable

TICK = 1.0
"""Seconds between two looks at what waits for no message."""

Task = Callable[[], None]


class Worker:
    """Does what it is given, in order; between, now and then, a look at the whole."""

    def __init__(self, name: str, *, log: Callable[[str], None], tick: Task | None = None) -> None:
        self._items: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._log, self._tick = log, tick
        self._closed = False
        self._lock = threading.Lock()
        self.waiting = 0
        """How much it has to do, what it does now included."""
        self._due = 0.0
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._due = time.monotonic() + TICK
        self._thread.start()

    def do(self, task: Task) -> None:
        """Do this when it is its turn; from any thread."""
        with self._lock:
            self.waiting += 1
        self._items.put(task)

    def close(self) -> None:
        """Do nothing more; waits for what is being done."""
        self._closed = True
        self._items.put(None)
        if self._thread.is_alive():
            self._thread.join(10.0)

    def _main(self) -> None:
        while not self._closed:
            try:
                item = self._items.get(timeout=max(0.0, self._due - time.monotonic()))
            except queue.Empty:
                item = None
            if item is not None:
                self._guarded(item)
                with self._lock:
                    self.waiting -= 1
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + TICK
                if self._tick is not None:
                    self._guarded(self._tick)

    def _guarded(self, task: Task) -> None:
        if self._closed:
            return
        try:
            task()
        except Exception as error:  # noqa: BLE001 (the next job must not wait for ever)
            if not self._closed:
                self._log(f"{type(error).__name__}: {error}")
