"""One living agent: requests to it, and what it streams back. Any thread may ask."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, Protocol

from xpm_engine.errors import UnreachableError, XpmError
from xpm_engine.remote.answers import Heard, Listening, Over, Pending, Waiting, raised
from xpm_engine.remote.archive import AGENT, Load
from xpm_engine.remote.frames import Decoder, Message, encode
from xpm_engine.remote.greeting import greet
from xpm_engine.remote.pipes import Pipes
from xpm_engine.workspace.tickets import new_nonce

PATIENCE = 60.0
"""Seconds to wait for an answer, or for its next part."""

HEARTBEAT = 4.0
"""Seconds of silence after which the other side is asked whether it is there."""

SILENCE = 13.0
"""Seconds of silence after which the connection is taken for cut."""


class Explain(Protocol):
    """Tells what the end of the command means: its exit code, and what it said on stderr."""

    def __call__(self, code: int | None, said: str) -> XpmError: ...


class Connection:
    """A process whose standard streams lead to an agent."""

    def __init__(
        self, command: Sequence[str], *, name: str, explain: Explain, load: Load = AGENT
    ) -> None:
        """Start `command`, and wait for the agent's hello; `name` is the host's, for errors.

        `load` is what is sent there to answer.

        Raises what `explain` makes of a command that ends before, and ProtocolError.
        """
        self.name = name
        self._explain = explain
        self._numbers = itertools.count(1)
        self._pending: dict[int, Pending] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._error: XpmError | None = None
        self._heard = time.monotonic()
        self._greeted = False
        self._reader: threading.Thread | None = None
        self._pipes = Pipes(command)
        token = new_nonce()
        try:
            self._write(load.opening(token))
            self.hello = greet(self._pipes, token, name=name, explained=self._explained)
        except XpmError:
            self._end(None)
            self._let_go()
            raise
        self._greeted = True
        self._reader = threading.Thread(target=self._read, name=f"xpm-{name}", daemon=True)
        self._reader.start()

    @property
    def error(self) -> XpmError | None:
        """Why it ended; None while it lives, and where it was closed."""
        return self._error

    @property
    def machine(self) -> str:
        """The machine at the other end: a name may lead to another one, a copied id to two."""
        return f"{self.hello.host} ({self.hello.machine_id})"

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return not self._ended.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Until it has ended, or time is up; whether it has ended."""
        return self._ended.wait(seconds)

    def ask(
        self, what: str, *, data: bytes = b"", patience: float = PATIENCE, **fields: Any
    ) -> Any:
        """Ask, and wait for the answer: the last part if it came in parts.

        Raises the agent's error as it was raised there, UnreachableError where the connection
        ended or nothing came within `patience` seconds.
        """
        return self.begin(what, data=data, patience=patience, **fields)()

    def begin(
        self, what: str, *, data: bytes = b"", patience: float = PATIENCE, **fields: Any
    ) -> Callable[[], Any]:
        """Ask, and go on: what is returned waits for the answer, and raises, as `ask` does."""
        waiting = Waiting()
        number = self._begin(what, data, fields, waiting)

        def answer() -> Any:
            last = Message({})
            for part in self._parts(number, waiting, what, patience):
                last = part
            return last.body

        return answer

    def stream(
        self, what: str, *, data: bytes = b"", patience: float = PATIENCE, **fields: Any
    ) -> Generator[Message]:
        """Ask, and take the answer part by part; raises as `ask` does.

        It is asked here and now: where this call raises, and not the first step of what it returns,
        the request did not leave whole, and is acted on by nobody. Closing the generator ends the
        asking.
        """
        waiting = Waiting()
        return self._parts(self._begin(what, data, fields, waiting), waiting, what, patience)

    def _parts(
        self, number: int, waiting: Waiting, what: str, patience: float
    ) -> Generator[Message]:
        try:
            while True:
                try:
                    last, message = waiting.parts.get(timeout=patience)
                except queue.Empty:
                    raise UnreachableError(
                        f"{self.name} did not answer within {patience:g} s", where=what
                    ) from None
                if isinstance(message, XpmError):
                    raise message
                if not last or message.body or message.data:
                    yield message
                if last:
                    return
        finally:
            if self._forget(number):
                self._stop(number)

    def subscribe(self, what: str, heard: Heard, over: Over, **fields: Any) -> Subscription:
        """Ask for what never ends: `heard` each part, then `over`, both in the reader's thread.

        They must return soon, and may not wait for answers: those come by the same thread.
        """
        number = self._begin(what, b"", fields, Listening(heard, over))
        return Subscription(self, number)

    def close(self) -> None:
        """End it: the agent ends, jobs go on."""
        self._end(None)
        self._let_go()
        if self._reader not in (None, threading.current_thread()):
            self._reader.join(5.0)

    def cancel(self, number: int) -> None:
        """End a subscription."""
        if self._forget(number):
            self._stop(number)

    def _stop(self, number: int) -> None:
        with suppress(XpmError):
            self._send({"id": 0, "do": "stop", "of": number}, b"")

    def _begin(self, what: str, data: bytes, fields: dict[str, Any], pending: Pending) -> int:
        number = next(self._numbers)
        with self._lock:
            if self._ended.is_set():
                raise self._cut()
            self._pending[number] = pending
        try:
            self._send({**fields, "id": number, "do": what}, data)
        except BaseException:
            self._forget(number)
            raise
        return number

    def _forget(self, number: int) -> bool:
        """Wait for it no more; whether an answer was still due."""
        with self._lock:
            return self._pending.pop(number, None) is not None and not self._ended.is_set()

    def _cut(self) -> XpmError:
        return self._error or UnreachableError(f"the connection to {self.name} was closed")

    def _send(self, body: dict[str, Any], data: bytes) -> None:
        self._write(encode(Message(body, data)))

    def _write(self, data: bytes) -> None:
        """Write all of it; a pipe that takes nothing for `SILENCE` seconds leads nowhere."""
        try:
            written = self._pipes.write(data, patience=SILENCE, ended=self._ended)
        except TimeoutError:
            raise UnreachableError(f"{self.name} takes nothing more") from None
        except (OSError, ValueError) as error:
            if self._greeted:
                raise UnreachableError(f"the connection to {self.name} was cut") from error
            # Why it ended is told by its exit code: the greeting finds out.
        else:
            if not written:
                raise self._cut()

    def _explained(self, printed: bytes = b"") -> XpmError:
        """What the end of the command means; `printed` instead of an agent's hello."""
        return self._explain(*self._pipes.last_words(printed))

    def _read(self) -> None:
        """In the reader's thread: deliver what comes, until the end."""
        decoder = Decoder()
        error: XpmError | None = None
        try:
            while not self._ended.is_set():
                data = self._pipes.read(HEARTBEAT)
                if data is None:
                    self._sound()
                    continue
                if not data:
                    error = self._explained()
                    break
                self._heard = time.monotonic()
                self._deliver(decoder, data)
        except XpmError as failed:
            error = failed
        except (OSError, ValueError) as failed:
            error = UnreachableError(f"the connection to {self.name} was cut: {failed}")
        self._end(error)
        self._let_go()

    def _sound(self) -> None:
        silent = time.monotonic() - self._heard
        if silent > SILENCE:
            raise UnreachableError(f"{self.name} has been silent for {silent:.0f} s")
        self._send({"id": 0, "do": "ping"}, b"")

    def _deliver(self, decoder: Decoder, data: bytes) -> None:
        for message in decoder.feed(data):
            number = message.body.get("id")
            with self._lock:
                pending = self._pending.get(number) if isinstance(number, int) else None
                last = "part" not in message.body
                if last and isinstance(number, int):
                    self._pending.pop(number, None)
            if pending is None:
                continue
            if "error" in message.body:
                pending.fail(raised(message.body["error"], self.name))
            else:
                body: dict[str, Any] = message.body.get("done" if last else "part") or {}
                pending.take(Message(body, message.data), last=last)

    def _end(self, error: XpmError | None) -> None:
        """Tell everyone who waits that nothing more will come; once."""
        with self._lock:
            if self._ended.is_set():
                return
            self._error = error
            waiting = list(self._pending.values())
            self._pending.clear()
            self._ended.set()
        for pending in waiting:
            pending.fail(self._cut())

    def _let_go(self) -> None:
        """End the command; what is read is closed by who reads it."""
        self._pipes.end()
        if self._reader in (None, threading.current_thread()):
            self._pipes.close()


class Subscription:
    """A request that stays open."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number

    def stop(self) -> None:
        """Hear nothing more of it; `over` is not called."""
        self._connection.cancel(self._number)
