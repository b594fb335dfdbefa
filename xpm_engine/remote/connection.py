"""One living agent: requests to it, and what it streams back. Any thread may ask."""

from __future__ import annotations

import itertools
import os
import queue
import select
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

from xpm_engine.errors import (
    LaunchError,
    NotAWorkspaceError,
    OccupiedError,
    ProtocolError,
    RemoteError,
    StorageError,
    UnreachableError,
    UnreadableError,
    UsageError,
    XpmError,
)
from xpm_engine.remote.archive import AGENT, Load
from xpm_engine.remote.frames import PROTOCOL, SENTINEL, Decoder, Message, encode
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.tickets import new_nonce

HELLO_PATIENCE = 30.0
"""Seconds between the start of the command and the agent's hello."""

PATIENCE = 60.0
"""Seconds to wait for an answer, or for its next part."""

HEARTBEAT = 4.0
"""Seconds of silence after which the other side is asked whether it is there."""

SILENCE = 13.0
"""Seconds of silence after which the connection is taken for cut."""

MOST_GREETING = 1 << 20
"""Bytes that start-up files of the far shell may print before the agent speaks."""

_READ = 1 << 18


class Explain(Protocol):
    """Tells what the end of the command means: its exit code, and what it said on stderr."""

    def __call__(self, code: int | None, said: str) -> XpmError: ...


@dataclass(frozen=True)
class Hello:
    """Who and where the agent is."""

    python: str
    platform: str
    machine_id: str
    boot_id: str
    host: str
    user: str
    uid: int
    home: str
    fs: str
    cores: int
    skew: float
    """Seconds that its clock is ahead of ours, as far as that can be told."""


Heard = Callable[[Message], None]
Over = Callable[[XpmError | None], None]


_TOLD = 4096
"""Bytes of what a far shell printed that are looked at for a reason."""


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
        self._pending: dict[int, _Pending] = {}
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._ended = threading.Event()
        self._error: XpmError | None = None
        self._heard = time.monotonic()
        self._greeted = False
        self._said = bytearray()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Ctrl-C at a plan's terminal is the plan's to handle.
                start_new_session=True,
            )
        except OSError as error:
            raise RemoteError(
                f"{command[0]} can't be started: {error.strerror}",
                hint="is the OpenSSH client installed?",
            ) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._input = self._process.stdin.fileno()
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._input, False)
        self._errors = threading.Thread(target=self._hear_errors, daemon=True)
        self._errors.start()
        token = new_nonce()
        try:
            self._write(load.opening(token))
            self.hello = self._greet(token)
        except XpmError:
            self._end(None)
            self._let_go()
            raise
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
        waiting = _Waiting()
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

        Closing the generator ends the asking.
        """
        waiting = _Waiting()
        yield from self._parts(self._begin(what, data, fields, waiting), waiting, what, patience)

    def _parts(
        self, number: int, waiting: _Waiting, what: str, patience: float
    ) -> Generator[Message]:
        try:
            while True:
                try:
                    kind, message = waiting.parts.get(timeout=patience)
                except queue.Empty:
                    raise UnreachableError(
                        f"{self.name} did not answer within {patience:g} s", where=what
                    ) from None
                if isinstance(message, XpmError):
                    raise message
                if kind == "part" or message.body or message.data:
                    yield message
                if kind == "done":
                    return
        finally:
            if self._forget(number):
                self._stop(number)

    def subscribe(self, what: str, heard: Heard, over: Over, **fields: Any) -> Subscription:
        """Ask for what never ends: `heard` each part, then `over`, both in the reader's thread.

        They must return soon, and may not wait for answers: those come by the same thread.
        """
        number = self._begin(what, b"", fields, _Listening(heard, over))
        return Subscription(self, number)

    def close(self) -> None:
        """End it: the agent ends, jobs go on."""
        self._end(None)
        self._let_go()
        if threading.current_thread() is not self._reader:
            self._reader.join(5.0)

    def cancel(self, number: int) -> None:
        """End a subscription."""
        if self._forget(number):
            self._stop(number)

    def _stop(self, number: int) -> None:
        with suppress(XpmError):
            self._send({"id": 0, "do": "stop", "of": number}, b"")

    def _begin(self, what: str, data: bytes, fields: dict[str, Any], pending: _Pending) -> int:
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
        view = memoryview(data)
        with self._sending:
            deadline = time.monotonic() + SILENCE
            try:
                while view:
                    if self._ended.is_set():
                        raise self._cut()
                    if _ready(self._input, select.POLLOUT, 0.5):
                        view = view[os.write(self._input, view) :]
                        deadline = time.monotonic() + SILENCE
                    elif time.monotonic() > deadline:
                        raise UnreachableError(f"{self.name} takes nothing more")
            except (OSError, ValueError) as error:
                if self._greeted:
                    raise UnreachableError(f"the connection to {self.name} was cut") from error
                # Why it ended is told by its exit code: the greeting finds out.

    def _greet(self, token: str) -> Hello:
        """Skip what start-up files print, and read the hello."""
        wanted = b"\n" + SENTINEL + token.encode("ascii") + b"\n"
        greeting = bytearray()
        decoder = Decoder()
        deadline = time.monotonic() + HELLO_PATIENCE
        while True:
            greeting += self._read_greeting(deadline, greeting)
            at = greeting.find(wanted)
            if at >= 0:
                break
            if len(greeting) > MOST_GREETING:
                raise ProtocolError(
                    f"{self.name} prints without end where an agent should speak",
                    hint="see what its shell prints: ssh HOST true",
                )
        now = time.time()
        rest = bytes(greeting[at + len(wanted) :])
        while True:
            for message in decoder.feed(rest):
                # Nothing was asked yet, so that nothing can follow it.
                self._greeted = True
                return self._hello(message, now)
            rest = self._read_greeting(deadline)

    def _read_greeting(self, deadline: float, before: bytes | bytearray = b"") -> bytes:
        """What comes next, in time; raises UnreachableError, and what the end means.

        `before` is what came instead of an agent's hello.
        """
        left = deadline - time.monotonic()
        if left <= 0 or not _ready(self._output, select.POLLIN, left):
            raise UnreachableError(
                f"{self.name} did not answer within {HELLO_PATIENCE:g} s",
                hint="does its shell wait for something when a command is run by ssh?",
            )
        data = os.read(self._output, _READ)
        if not data:
            raise self._explained(bytes(before))
        return data

    def _hello(self, message: Message, now: float) -> Hello:
        fields = Fields(message.body, f"the hello of {self.name}")
        proto = fields.integer("proto")
        if proto != PROTOCOL:
            raise ProtocolError(f"{self.name} speaks version {proto}, this is version {PROTOCOL}")
        return Hello(
            python=fields.text("python"),
            platform=fields.text("platform"),
            machine_id=fields.text("machine_id"),
            boot_id=fields.text("boot_id"),
            host=fields.text("host"),
            user=fields.text("user"),
            uid=fields.integer("uid"),
            home=fields.text("home"),
            fs=fields.text("fs"),
            cores=fields.integer("cores"),
            skew=fields.number("now") - now,
        )

    def _explained(self, printed: bytes = b"") -> XpmError:
        """What the end of the command means; `printed` instead of an agent's hello."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5.0)
        self._errors.join(1.0)
        said = bytes(self._said) or printed[-_TOLD:]
        return self._explain(self._process.poll(), said.decode("utf-8", "replace"))

    def _read(self) -> None:
        """In the reader's thread: deliver what comes, until the end."""
        decoder = Decoder()
        error: XpmError | None = None
        try:
            while not self._ended.is_set():
                if not _ready(self._output, select.POLLIN, HEARTBEAT):
                    self._sound()
                    continue
                data = os.read(self._output, _READ)
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
                kind = "done" if last else "part"
                pending.take(kind, Message(message.body.get(kind) or {}, message.data))

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
        """End the process, without waiting for a line that may be dead."""
        process = self._process
        with self._sending, suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        if process.poll() is None:
            process.kill()
            process.wait()
        self._errors.join(1.0)
        if threading.current_thread() is getattr(self, "_reader", threading.current_thread()):
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    def _hear_errors(self) -> None:
        stream = self._process.stderr
        assert stream is not None
        with suppress(OSError, ValueError):
            while data := os.read(stream.fileno(), 4096):
                self._said += data
                del self._said[:-4096]


def _ready(descriptor: int, event: int, seconds: float) -> bool:
    """Wait for an event, or the end; by poll(2), for select(2) counts no more than 1,024 files."""
    poll = select.poll()
    poll.register(descriptor, event)
    return bool(poll.poll(seconds * 1000))


class Subscription:
    """A request that stays open."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number

    def stop(self) -> None:
        """Hear nothing more of it; `over` is not called."""
        self._connection.cancel(self._number)


class _Pending(Protocol):
    def take(self, kind: str, message: Message) -> None: ...

    def fail(self, error: XpmError) -> None: ...


class _Waiting:
    """A thread waits for the parts."""

    def __init__(self) -> None:
        self.parts: queue.SimpleQueue[tuple[str, Message | XpmError]] = queue.SimpleQueue()

    def take(self, kind: str, message: Message) -> None:
        self.parts.put((kind, message))

    def fail(self, error: XpmError) -> None:
        self.parts.put(("error", error))


@dataclass
class _Listening:
    """Somebody is called for each part."""

    heard: Heard
    over: Over

    def take(self, kind: str, message: Message) -> None:
        if message.body or message.data or kind == "part":
            self.heard(message)
        if kind == "done":
            self.over(None)

    def fail(self, error: XpmError) -> None:
        self.over(error)


_KINDS: dict[str, type[XpmError]] = {
    kind.__name__: kind
    for kind in (
        LaunchError,
        NotAWorkspaceError,
        OccupiedError,
        ProtocolError,
        StorageError,
        UnreadableError,
        UsageError,
    )
}
"""What an agent may raise, by name."""


def raised(told: object, name: str) -> XpmError:
    """The agent's error as one of this side, with the host's name in its place."""
    data = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
    kind = _KINDS.get(str(data.get("kind")), RemoteError)
    where, hint = data.get("where"), data.get("hint")
    return kind(
        f"{name}: {data.get('what', 'it failed without saying why')}",
        where=f"{name}:{where}" if isinstance(where, str) else None,
        hint=hint if isinstance(hint, str) else None,
    )
