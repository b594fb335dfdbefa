"""Which processes of the other machine live: only that machine can tell."""

from __future__ import annotations

from collections.abc import Iterable

from xpm_engine.remote.connection import Connection
from xpm_engine.workspace.records.identity import ProcessIdentity

ASKED = 500
"""Processes that one question is about at most."""


class Living:
    """What the agent said in this look."""

    def __init__(self) -> None:
        self._alive: dict[ProcessIdentity, bool | None] = {}

    def forget(self) -> None:
        """A new look: everything is asked again."""
        self._alive.clear()

    def ask(self, connection: Connection, wanted: Iterable[ProcessIdentity]) -> bool:
        """Ask about those nobody asked about yet; whether one of them does not live. Raises
        XpmError."""
        new = [each for each in dict.fromkeys(wanted) if each not in self._alive]
        for start in range(0, len(new), ASKED):
            part = new[start : start + ASKED]
            answer = connection.ask("alive", processes=[each.to_json() for each in part])
            self._alive.update(zip(part, answer["alive"], strict=True))
        return any(self._alive[each] is not True for each in new)

    def is_dead(self, process: ProcessIdentity) -> bool | None:
        """Whether it is proved dead there; one that was not asked about is taken for alive."""
        alive = self._alive.get(process, True)
        return None if alive is None else not alive
