"""The gate between ready jobs and their launcher: as many pass as there is room for."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from xpm_engine.plan.node import Node
from xpm_engine.plan.ready import ReadyQueue
from xpm_engine.plan.resources import ResourceRules
from xpm_engine.workspace import tickets
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.pool.member import Member, Turn
from xpm_engine.workspace.pool.sharing import Limits, Share
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.pool import Reservation
from xpm_engine.workspace.records.resources import Demand

POLL = 0.25
"""Seconds between two glances at the pool while others keep our jobs waiting."""

RECLAIM = 1.0
"""Seconds between two real looks then: who was killed gives back nothing by himself."""

MOST_AT_ONCE = 32
"""Jobs that are let through before the first of them is launched."""


MOST_REFUSED = 100
"""Different demands that are looked at in vain before the rest must wait for the next look."""


class Room(Protocol):
    """What the gate asks: the machine's pool, or a launcher's own capacity."""

    limits: Limits

    @property
    def folder(self) -> str:
        """The pool's folder, for the job's own process; empty for none."""
        ...

    @property
    def pipe(self) -> int | None:
        """Readable when it is time to look again."""
        ...

    @property
    def alone(self) -> bool:
        """Whether only this plan's own jobs are in the way."""
        ...

    @property
    def changed(self) -> bool:
        """Whether somebody came or went since the last look."""
        ...

    def turn(self) -> AbstractContextManager[Turn | None]: ...

    def release(self, nonce: str) -> None: ...

    def withdraw(self) -> None: ...

    def close(self) -> None: ...


class OwnRoom:
    """The capacity of a launcher that nobody else counts: another machine's queue does."""

    folder = ""
    pipe = None
    alone = True
    changed = False

    def __init__(self, limits: Limits, *, run: str, driver: ProcessIdentity) -> None:
        self.limits = limits
        self._run = run
        self._driver = driver
        self._taken: dict[str, Reservation] = {}

    @contextmanager
    def turn(self) -> Generator[Turn | None, None, None]:
        """As in `Member.turn`."""
        yield Turn(Share(self.limits, self._taken.values()), {}, self._sign)

    def release(self, nonce: str) -> None:
        """A job is over."""
        self._taken.pop(nonce, None)

    def withdraw(self) -> None:
        """Nobody else waits here."""

    def close(self) -> None:
        """There is nothing to let go of."""

    def _sign(
        self, key: JobKey, job: str, demand: Demand, devices: tuple[str, ...], nonce: str
    ) -> Reservation:
        nonce = nonce or tickets.new_nonce()
        made = Reservation(nonce, key, job, demand, devices, self._driver, self._run, now())
        self._taken[nonce] = made
        return made


class Gate:
    """Lets ready jobs pass; in the scheduler's thread."""

    def __init__(
        self,
        ready: ReadyQueue,
        rules: ResourceRules,
        *,
        here: bool,
        run: str,
        driver: ProcessIdentity,
    ) -> None:
        """`here` says whether the jobs take from this machine's pool. Raises StorageError."""
        self._ready = ready
        self._rules = rules
        made: type[Member] | type[OwnRoom] = Member if here else OwnRoom
        self._room: Room = made(rules.limits, run=run, driver=driver)
        self._stale = True
        """Whether a look might let more through than the last one did."""
        self._looked = self._glance_at = 0.0

    @property
    def folder(self) -> str:
        """The pool's folder; empty for none."""
        return self._room.folder

    @property
    def pipe(self) -> int | None:
        """Readable when `look_again` is due."""
        return self._room.pipe

    @property
    def due(self) -> float | None:
        """When (time.monotonic) the next glance at the pool is due; None for never."""
        if not self._ready.has_ready:
            return None
        if self._stale or self._ready.has_unasked:
            return 0.0
        return None if self._room.alone else self._glance_at

    def look_again(self) -> None:
        """Something was given back."""
        self._stale = True

    def release(self, nonce: str) -> None:
        """A job is over, or was not started after all."""
        self._room.release(nonce)
        self._stale = True

    def admit(self) -> list[tuple[Node, Reservation]]:
        """Take those jobs out of the queue that may be launched now, with what they were given.

        Raises StorageError.
        """
        if not self._ready.has_ready:
            self._room.withdraw()
            return []
        if not self._is_due():
            return []
        self._room.limits = self._rules.limits
        passed: list[tuple[Node, Reservation]] = []
        with self._room.turn() as turn:
            self._looked = time.monotonic()
            self._glance_at = self._looked + POLL
            if turn is None:
                return []
            for node in self._ready.by_turn():
                granted = turn.ask(node.key, node.paths.root, node.demand)
                if granted is not None:
                    self._ready.take(node)
                    passed.append((node, granted))
                if len(passed) == MOST_AT_ONCE or len(turn.refused) == MOST_REFUSED:
                    break
        self._stale = len(passed) == MOST_AT_ONCE
        self._ready.tell_shortages(turn.refused)
        return passed

    def withdraw(self) -> None:
        """Launch nothing more: keep nobody else waiting."""
        self._room.withdraw()

    def close(self) -> None:
        """Leave the pool; what runs keeps what it has."""
        self._room.close()

    def _is_due(self) -> bool:
        if self._stale or self._ready.has_unasked:
            return True
        clock = time.monotonic()
        if self._room.alone or clock < self._glance_at:
            return False
        self._glance_at = clock + POLL
        return clock >= self._looked + RECLAIM or self._room.changed
