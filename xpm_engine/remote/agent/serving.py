"""The agent's loop: one thread, that gives every open request a slice in turn.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import os
import platform
import select
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Union

from xpm_engine.errors import ProtocolError, UnreadableError, XpmError
from xpm_engine.remote.agent.notifier import Notifier
from xpm_engine.remote.frames import PROTOCOL, SENTINEL, Decoder, Message, encode, widen
from xpm_engine.workspace import processes
from xpm_engine.workspace.records.fields import Fields

SILENCE = 600.0
"""Seconds without a byte from the other side after which it is taken for gone.

Whoever listens says something every few seconds; a cut link is noticed here by nothing else."""

IDLE = 0.002
"""Seconds between two slices of streams that wait for something else: a process's answer."""

_READ = 1 << 18


class Source:
    """A request that stays open, and answers when something happens."""

    due: Optional[float] = None
    """When (time.monotonic) it wants its next step; None for never."""

    def step(self) -> Iterator[Message]:
        """What there is to say now, as parts."""
        raise NotImplementedError

    def close(self) -> None:
        """Nobody listens any more."""


@dataclass(frozen=True)
class Request:
    """One request, as its handler sees it."""

    agent: "Agent"
    fields: Fields
    data: bytes


Answer = Union[Dict[str, Any], Message, "Iterator[Optional[Message]]", Source]
Handler = Callable[[Request], Answer]
"""Answers one request: at once, a part at a time, or for as long as it is open.

Asked twice for the same thing it must come to the same end: an answer may have been lost."""


class Agent:
    """One asker's agent."""

    def __init__(self, handlers: Mapping[str, Handler], *, source: int, sink: int) -> None:
        """Read from the descriptor `source`, answer to the descriptor `sink`."""
        self.notifier = Notifier()
        self.seen: Dict[str, Dict[str, Dict[str, List[int]]]] = {}
        """Workspace -> what its asker has seen of its jobs (`browsing`)."""
        self.told: Dict[str, Dict[str, Dict[str, bytes]]] = {}
        """Workspace -> job -> checksums of the texts that were told of it (`tree`)."""
        self._handlers = handlers
        self._source, self._sink = source, sink
        for end in (source, sink):
            widen(end)
        self._decoder = Decoder()
        self._streams: Dict[int, "Iterator[Optional[Message]]"] = {}
        self._open: Dict[int, Source] = {}
        self._heard = time.monotonic()
        self._closed = False
        self._idle = True
        """Whether all streams wait for something else."""

    def serve(self, token: str) -> None:
        """Say hello, and answer until the other side is gone."""
        self._write(b"\n" + SENTINEL + token.encode("ascii") + b"\n")
        self._send(hello())
        try:
            while not self._closed:
                self._turn()
        except (BrokenPipeError, ConnectionResetError):
            return
        finally:
            for opened in self._open.values():
                opened.close()

    def stop(self, number: int) -> bool:
        """End an open request; whether there was one."""
        self._streams.pop(number, None)
        opened = self._open.pop(number, None)
        if opened is not None:
            opened.close()
        return opened is not None

    def _turn(self) -> None:
        descriptors = [self._source]
        if self.notifier.descriptor is not None:
            descriptors.append(self.notifier.descriptor)
        ready = select.select(descriptors, [], [], self._patience())[0]
        if self._source in ready:
            self._hear()
        elif time.monotonic() - self._heard > SILENCE:
            self._closed = True
        if len(ready) > (self._source in ready):
            self.notifier.read()
        self._idle = True
        for number in list(self._streams):
            self._advance(number)
        clock = time.monotonic()
        for number, opened in list(self._open.items()):
            if opened.due is not None and opened.due <= clock:
                self._step(number, opened)

    def _patience(self) -> float:
        if self._streams and not self._idle:
            return 0.0
        dues = [opened.due for opened in self._open.values() if opened.due is not None]
        dues.append(self._heard + SILENCE)
        if self._streams:
            dues.append(time.monotonic() + IDLE)
        return max(0.0, min(dues) - time.monotonic())

    def _hear(self) -> None:
        data = os.read(self._source, _READ)
        self._heard = time.monotonic()
        if not data:
            self._closed = True
        try:
            for message in self._decoder.feed(data):
                self._begin(message)
        except ProtocolError as error:
            sys.stderr.write(f"xpm agent: {error}\n")
            self._closed = True

    def _begin(self, message: Message) -> None:
        number = message.body.get("id")
        if not isinstance(number, int):
            return
        what = message.body.get("do")
        handler = self._handlers.get(what) if isinstance(what, str) else None
        if handler is None:
            self._fail(number, ProtocolError(f"this agent can't do {what!r}"))
            return
        request = Request(self, Fields(message.body, f"the request {what!r}"), message.data)
        try:
            answer = handler(request)
        except Exception as error:  # noqa: BLE001 (told to the asker)
            self._fail(number, error)
            return
        if isinstance(answer, Source):
            self._open[number] = answer
        elif isinstance(answer, (dict, Message)):
            self._finish(number, answer)
        else:
            self._streams[number] = answer

    def _advance(self, number: int) -> None:
        """Take the next part of a stream, unless it was stopped meanwhile."""
        stream = self._streams.get(number)
        if stream is None:
            return
        try:
            part = next(stream)
        except StopIteration:
            del self._streams[number]
            self._finish(number, {})
        except Exception as error:  # noqa: BLE001 (told to the asker)
            del self._streams[number]
            self._fail(number, error)
        else:
            if part is not None:
                self._idle = False
                self._part(number, part)

    def _step(self, number: int, opened: Source) -> None:
        try:
            for part in opened.step():
                self._part(number, part)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # noqa: BLE001 (told to the asker)
            self.stop(number)
            self._fail(number, error)

    def _part(self, number: int, part: Message) -> None:
        self._send(Message({"id": number, "part": part.body}, part.data))

    def _finish(self, number: int, answer: Union[Dict[str, Any], Message]) -> None:
        if isinstance(answer, Message):
            self._send(Message({"id": number, "done": answer.body}, answer.data))
        else:
            self._send(Message({"id": number, "done": answer}))

    def _fail(self, number: int, error: BaseException) -> None:
        self._send(Message({"id": number, "error": told(error)}))

    def _send(self, message: Message) -> None:
        self._write(encode(message))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._sink, view) :]


def hello() -> Message:
    """Who and where this agent is."""
    return Message(
        {
            "proto": PROTOCOL,
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            "machine_id": processes.machine_id(),
            "boot_id": processes.boot_id(),
            "host": processes.host_name(),
            "user": processes.user_name(),
            "uid": os.getuid(),
            "pid": os.getpid(),
            "home": os.path.expanduser("~"),
            "fs": file_system("."),
            "now": time.time(),
            "cores": _cores(),
        }
    )


def told(error: BaseException) -> Dict[str, Any]:
    """An error as the asker can raise it again."""
    if isinstance(error, XpmError):
        return {
            "kind": type(error).__name__,
            "what": error.what,
            "where": error.where,
            "hint": error.hint,
        }
    if isinstance(error, OSError):
        where = error.filename if isinstance(error.filename, str) else None
        what = f"the system refused: {error.strerror or error}"
        return {"kind": "StorageError", "what": what, "where": where, "errno": error.errno}
    return {"kind": "RemoteError", "what": f"the agent failed: {type(error).__name__}: {error}"}


def file_system(path: str) -> str:
    """The type of the file system that `path` is on, as the system names it; empty if unknown."""
    path = os.path.realpath(path)
    best, found = "", ""
    with suppress(OSError), open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            before, _, after = line.partition(" - ")
            point = before.split(" ")[4].encode().decode("unicode_escape")
            inside = path == point or path.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, found = point, after.split(" ")[0]
    return found


def _cores() -> int:
    with suppress(AttributeError):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def unreadable(request: Request, what: str) -> UnreadableError:
    """A request that can't be understood."""
    return UnreadableError(what, where=request.fields.where)
