"""What changes on the other machine, as `ears` hears it of folders here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from xpm_engine.errors import XpmError
from xpm_engine.remote.connection import Connection, Subscription
from xpm_engine.remote.frames import Message
from xpm_tui.far.place import FarPlace


class FarEars:
    """Has folders watched by the agent, each by itself and not what is below it."""

    def __init__(self, place: FarPlace, heard: Callable[[str], None]) -> None:
        """`heard` is called with the name here of what changed, in the connection's thread."""
        self._place = place
        self._heard = heard
        self._watched: frozenset[str] = frozenset()
        self._connection: Connection | None = None
        self._subscription: Subscription | None = None
        self.by_events = False
        """Whether the other machine hears of changes itself, and does not only look."""

    def listen_at(self, folders: list[str]) -> list[str]:
        """Watch these folders, by their names here, and no others; returns the new ones.

        Raises UnreachableError where there is no connection.
        """
        wanted = frozenset(folders)
        connection = self._place.link.connection()
        if connection is self._connection and wanted == self._watched:
            return []
        new = wanted if connection is not self._connection else wanted - self._watched
        there = [self._place.there(path) for path in sorted(wanted)]
        before = self._subscription
        self._subscription = connection.subscribe("watch", self._told, self._over, folders=there)
        if before is not None:
            # Not sooner: what happens between the two would be heard by neither.
            with suppress(XpmError):
                before.stop()
        self._connection, self._watched = connection, wanted
        return sorted(new)

    def close(self) -> None:
        """Stop listening."""
        if self._subscription is not None:
            with suppress(XpmError):
                self._subscription.stop()
        self._subscription = None

    def _told(self, message: Message) -> None:
        if "by" in message.body:
            self.by_events = message.body["by"] == "inotify"
        for path in message.body.get("changed", ()):
            # Something in it: which file it was, only the look finds out.
            self._heard(self._place.here.root + path[len(self._place.root) :] + "/*")

    def _over(self, error: XpmError | None) -> None:
        self._connection = None
        self._heard(self._place.here.root)
