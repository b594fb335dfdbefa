"""What comes of a request: who waits for it, and the other side's errors as ours."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

from xpm_engine.errors import (
    LaunchError,
    NotAWorkspaceError,
    OccupiedError,
    ProtocolError,
    RemoteError,
    StorageError,
    UnreadableError,
    UsageError,
    XpmError,
)
from xpm_engine.remote.frames import Message

Heard = Callable[[Message], None]
Over = Callable[[XpmError | None], None]


class Pending(Protocol):
    """Who waits for what a request brings: its parts and its end, or why there is none."""

    def take(self, message: Message, *, last: bool) -> None: ...

    def fail(self, error: XpmError) -> None: ...


class Waiting:
    """A thread waits for the parts."""

    def __init__(self) -> None:
        self.parts: queue.SimpleQueue[tuple[bool, Message | XpmError]] = queue.SimpleQueue()

    def take(self, message: Message, *, last: bool) -> None:
        self.parts.put((last, message))

    def fail(self, error: XpmError) -> None:
        self.parts.put((True, error))


@dataclass
class Listening:
    """Somebody is called for each part."""

    heard: Heard
    over: Over

    def take(self, message: Message, *, last: bool) -> None:
        if not last or message.body or message.data:
            self.heard(message)
        if last:
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
