"""A connection that is made again when it was cut, with longer and longer pauses."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from xpm_engine.errors import RefusedError, UnreachableError, XpmError
from xpm_engine.remote.connection import Connection

FIRST_PAUSE = 0.5
"""Seconds before the second try."""

FACTOR = 2.0
MAX_PAUSE = 30.0
REFUSED_PAUSE = 60.0
"""Seconds between two tries at a host that does not let us in: each may be counted there."""

Dial = Callable[[bool], Connection]
"""Connects; told whether the last connection ended without a word, so that what is shared with it
is not to be trusted. Raises XpmError."""


class Link:
    """Keeps a connection to one host, in a thread of its own."""

    def __init__(
        self,
        name: str,
        dial: Dial,
        *,
        up: Callable[[Connection], None] | None = None,
        down: Callable[[XpmError], None] | None = None,
    ) -> None:
        """`up` is called with each new connection, `down` whenever there is none, with the reason.

        Both are called in the link's thread, never at the same time.
        """
        self.name = name
        self._dial = dial
        self._up, self._down = up, down
        self._state = threading.Condition()
        self._connection: Connection | None = None
        self._error: XpmError | None = None
        self._closed = False
        self._hurried = False
        self._next: float | None = None
        """When (time.monotonic) the next try begins; None while there is one, or a connection."""
        self._thread = threading.Thread(target=self._main, name=f"xpm-link-{name}", daemon=True)

    def start(self) -> Link:
        """Begin to connect."""
        self._thread.start()
        return self

    @property
    def error(self) -> XpmError | None:
        """Why there is no connection now; None where there is one, or the first try goes on."""
        return self._error

    @property
    def again_in(self) -> float | None:
        """Seconds until the next try; None while one goes on, or there is a connection."""
        due = self._next
        return None if due is None else max(0.0, due - time.monotonic())

    def when_up(self, up: Callable[[Connection], None]) -> None:
        """Call this from now on with each new connection, in the link's thread."""
        self._up = up

    def hurry(self) -> None:
        """Try now, if it waits for the next try."""
        with self._state:
            self._hurried = True
            self._state.notify_all()

    def connection(self, *, patience: float = 0.0) -> Connection:
        """The connection of now; raises why there is none, after `patience` seconds."""
        with self._state:
            self._state.wait_for(lambda: self._up_now or self._closed, patience)
            connection = self._connection
            if connection is not None and connection.alive:
                return connection
            raise self._error or UnreachableError(f"there is no connection to {self.name} yet")

    def settled(self, patience: float) -> Connection:
        """The connection, or the reason why the first try failed, whichever comes first."""
        with self._state:
            self._state.wait_for(
                lambda: self._up_now or self._error is not None or self._closed, patience
            )
        return self.connection()

    def close(self) -> None:
        """Let go; what was started goes on."""
        with self._state:
            self._closed = True
            connection = self._connection
            self._state.notify_all()
        if connection is not None:
            connection.close()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(10.0)

    @property
    def _up_now(self) -> bool:
        return self._connection is not None and self._connection.alive

    def _main(self) -> None:
        pause, suspicious = FIRST_PAUSE, False
        while not self._closed:
            try:
                connection = self._dial(suspicious)
            except XpmError as error:
                self._tell_down(error)
                refused = isinstance(error, RefusedError)
                suspicious = not refused
                self._rest(REFUSED_PAUSE if refused else pause)
                pause = min(MAX_PAUSE, pause * FACTOR)
                continue
            pause = FIRST_PAUSE
            with self._state:
                self._connection, self._error = connection, None
                closed = self._closed
                self._state.notify_all()
            if closed:
                connection.close()
                return
            if self._up is not None:
                # It may be cut while it is told: the wait below finds out.
                with suppress(XpmError):
                    self._up(connection)
            connection.wait()
            suspicious = True
            if not self._closed:
                lost = UnreachableError(f"the connection to {self.name} was cut")
                self._tell_down(connection.error or lost)

    def _tell_down(self, error: XpmError) -> None:
        with self._state:
            self._connection, self._error = None, error
            self._state.notify_all()
        if self._down is not None and not self._closed:
            self._down(error)

    def _rest(self, seconds: float) -> None:
        with self._state:
            # Hosts that went down together are not all asked at the same moment.
            spread = seconds * random.uniform(0.8, 1.2)
            self._hurried = False
            self._next = time.monotonic() + spread
            self._state.wait_for(lambda: self._closed or self._hurried, spread)
            self._next = None
