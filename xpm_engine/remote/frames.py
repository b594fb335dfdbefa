"""The agent's protocol: a sentinel line, then frames ``u32 length | u8 type | payload``.

A message is a frame of JSON (type 0), followed by one frame of bytes (type 1) where its ``data``
says how many. Requests are ``{id, do, ...}``; answers to one carry its id and ``part`` (there is
more to come), ``done`` (the last one) or ``error``. The agent's first message is its ``hello``.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import fcntl
import json
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, cast

from xpm_engine.errors import ProtocolError

PROTOCOL = 1
"""The version that both ends must agree on."""

MOST = 1 << 20
"""Bytes in one payload."""

SENTINEL = b"xpm-agent "
"""Begins the line after which all that comes is frames; a token of the asker's ends it.

What the far shell's start-up files print comes before it."""

_HEAD = struct.Struct("!IB")
_JSON, _BYTES = 0, 1


@dataclass(frozen=True)
class Message:
    """One request, or one answer."""

    body: Dict[str, Any]
    data: bytes = b""


def encode(message: Message) -> bytes:
    """The frames of a message; raises ProtocolError for one that is too long."""
    body = {**message.body, "data": len(message.data)} if message.data else message.body
    text = json.dumps(body, separators=(",", ":")).encode("ascii")
    if len(text) > MOST or len(message.data) > MOST:
        size = max(len(text), len(message.data))
        raise ProtocolError(f"a message of {size} bytes; {MOST} is the most")
    frames = [_HEAD.pack(len(text), _JSON), text]
    if message.data:
        frames += [_HEAD.pack(len(message.data), _BYTES), message.data]
    return b"".join(frames)


class Decoder:
    """Bytes in, as they come; whole messages out."""

    def __init__(self) -> None:
        self._head = b""
        self._left = -1
        """Bytes that the payload still lacks; below zero: its head has not come whole."""
        self._payload: List[memoryview] = []
        self._body: Optional[Dict[str, Any]] = None

    @property
    def partial(self) -> bool:
        """Whether a message has begun that is not whole yet."""
        return bool(self._head) or self._left >= 0 or self._body is not None

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that these bytes complete; raises ProtocolError for what is no frame.

        To be taken to the end: what is left over is kept only then.
        """
        view, at = memoryview(data), 0
        while at < len(data):
            if self._left < 0:
                head = data[at : at + _HEAD.size - len(self._head)]
                self._head += head
                at += len(head)
                if len(self._head) < _HEAD.size:
                    return
                self._left, kind = _HEAD.unpack(self._head)
                if self._left > MOST or kind != (_JSON if self._body is None else _BYTES):
                    length = self._left
                    raise ProtocolError(f"no frame of this protocol: type {kind}, {length} bytes")
                self._head = b""
            # A megabyte comes in many pieces: they are put together once, when all are here.
            piece = view[at : at + self._left]
            self._payload.append(piece)
            at += len(piece)
            self._left -= len(piece)
            if self._left:
                return
            payload = b"".join(self._payload)
            self._payload.clear()
            self._left = -1
            message = self._taken(payload)
            if message is not None:
                yield message

    def _taken(self, payload: bytes) -> Optional[Message]:
        """The message that this payload completes, if it does."""
        if self._body is not None:
            body, self._body = self._body, None
            if body["data"] != len(payload):
                raise ProtocolError("the bytes of a message are not as many as it says")
            return Message(body, payload)
        body = _parse(payload)
        if body.get("data"):
            self._body = body
            return None
        return Message(body)


def widen(descriptor: int) -> None:
    """Let a pipe hold a whole payload, so that its ends need not take turns; Linux only."""
    if sys.platform == "linux":
        # F_SETPIPE_SZ, which Python names from 3.10 on; what is no pipe, or over a limit, stays.
        with suppress(OSError):
            fcntl.fcntl(descriptor, 1031, MOST)


def _parse(payload: bytes) -> Dict[str, Any]:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a frame of JSON that is none: {error}") from error
    if not isinstance(body, dict):
        raise ProtocolError("a frame of JSON that holds no object")
    return cast("Dict[str, Any]", body)
