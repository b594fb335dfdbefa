"""Orders on their way to a host: what they need is shipped, they get room there, and are given.

Many at a time: one question for the room of all, one for many orders. A job that has no room has
not been sent; it keeps its place in the line of that machine's pool for as long as it is asked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from xpm_engine.errors import OccupiedError, UnreachableError, UnreadableError, XpmError
from xpm_engine.launchers.ssh.site import Place, Site, machine_of
from xpm_engine.launchers.ssh.work import Phase, Work
from xpm_engine.remote.answers import raised
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace import processes
from xpm_engine.workspace.atomic import dumps, publish
from xpm_engine.workspace.pool.sharing import Limits
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.records.resources import Resources, demand_to_json
from xpm_engine.workspace.records.tickets import Launch

SHIPPING = 0.2
"""Seconds after which what is shipped by then is sent, before more is shipped."""

MOST = 1 << 18
"""Bytes of orders in one request."""

Grant = Mapping[str, Any]
Ready = tuple[Work, Launch, Grant]


class Sending:
    """Gives one host the orders of one plan; in the host's shipping thread."""

    def __init__(
        self,
        name: str,
        site: Site,
        *,
        limits: Callable[[], Limits],
        leads_to: Callable[[Work, Connection], bool],
        answered: Callable[[Work, Connection, Any], None],
        waits: Callable[[Work, Wait | None], None],
        give_up: Callable[[Work, Connection, XpmError], None],
        room: Callable[[], None],
        astray: Callable[[Work], None],
        log: Callable[[str], None],
    ) -> None:
        """`room` is called, in any thread, when it is worth asking again for those that wait.

        `astray` hears of an order that another plan has sent meanwhile, wherever that was.
        """
        self._name, self._site = name, site
        self._limits, self._leads_to, self._answered = limits, leads_to, answered
        self._waits, self._give_up, self._room, self._log = waits, give_up, room, log
        self._astray = astray
        self._orders: dict[str, Launch] = {}
        """Nonce -> the order as it is given there: all that it needs is there."""
        self._connection: Connection | None = None
        self._in_line = self._listens = False
        self.asked: dict[str, float] = {}
        """Nonce -> when (time.monotonic) it was sent last."""

    @property
    def in_line(self) -> bool:
        """Whether jobs stood in the line there when it was asked last."""
        return self._in_line

    def forget(self, nonce: str) -> None:
        """A job has left."""
        self._orders.pop(nonce, None)
        self.asked.pop(nonce, None)

    def send(self, works: Sequence[Work], connection: Connection) -> bool:
        """Send those that find room; False: call it again soon, not all are shipped yet.

        Raises UnreachableError, and what keeps every job from that host.
        """
        if connection is not self._connection:
            self._connection, self._listens = connection, False
            self._orders.clear()
        works = [work for work in works if not self._was_sent(work)]
        place = self._site.known(connection)
        all_shipped = self._ship(works, place)
        ready = self._find_room(
            [each for each in works if each.launch.nonce in self._orders], place
        )
        for batch in _batches(ready):
            # Those of a later batch may go elsewhere where the connection is cut before it.
            new = [work for work, _, _ in batch if work.phase is Phase.NEW]
            mine = [each for each in batch if self._say_where(each[0], connection)]
            if mine:
                self._launch(mine, new, place)
        return all_shipped

    def _was_sent(self, work: Work) -> bool:
        """Whether another plan that took it over, too, has sent it: it goes where that says."""
        if work.phase is not Phase.NEW or not os.path.exists(work.job.mirror(work.attempt)):
            return False
        self._astray(work)
        return True

    def _say_where(self, work: Work, connection: Connection) -> bool:
        """Before anything is said about it: where to ask, for a plan that is started later.

        Whoever is the first to say it decides; False where another plan was.
        """
        if work.phase is Phase.NEW:
            machine = machine_of(connection)
            state = MirrorState(self._name, machine=machine)
            if not publish(work.job.mirror(work.attempt), dumps(state.to_json())):
                self._astray(work)
                return False
            work.machine, work.phase = machine, Phase.SENT
        self._waits(work, None)
        return True

    def _unsay_where(self, work: Work) -> None:
        """Its order did not leave this machine whole: it is nowhere, and may go anywhere.

        Only an order of this very process: where it was said to be sent to, other plans ask only
        when the one that gave it is dead.
        """
        if work.launch.driver == processes.own_identity():
            os.unlink(work.job.mirror(work.attempt))
            work.phase, work.machine = Phase.NEW, ""

    def _ship(self, works: Sequence[Work], place: Place) -> bool:
        """Bring what those need that were not seen before; whether there was time for all."""
        until = time.monotonic() + SHIPPING
        for work in works:
            if work.launch.nonce in self._orders:
                continue
            if time.monotonic() > until:
                return False
            try:
                if work.phase is Phase.NEW or self._leads_to(work, place.connection):
                    self._orders[work.launch.nonce] = self._site.order(work, place)
                else:
                    what = f"it was sent to {work.machine}, and this name leads elsewhere now"
                    self._waits(work, Wait(work.key, WaitKind.SENT, what=what, host=self._name))
            except UnreachableError:
                raise
            except OccupiedError as error:
                # Whoever makes it is waited for: each look at what waits asks again.
                wait = Wait(work.key, WaitKind.HOST, what=error.what, host=self._name)
                self._waits(work, wait)
            except XpmError as error:
                self._give_up(work, place.connection, error)
        return True

    def _find_room(self, works: Sequence[Work], place: Place) -> list[Ready]:
        """Reserve what they need in that machine's pool; those that have it."""
        if not works and not self._in_line:
            return []
        answers = place.connection.ask(
            "reserve",
            root=place.workspace.root,
            run=works[0].launch.run if works else "",
            limits=self._told_limits(works),
            jobs=[_wanted(work) for work in works],
        )["room"]
        ready: list[Ready] = []
        self._in_line = False
        for work, answer in zip(works, answers, strict=True):
            grant, wait = answer.get("granted"), answer.get("wait")
            if grant is not None:
                ready.append((work, self._orders[work.launch.nonce], grant))
            else:
                self._in_line = True
                self._waits(work, _wait(work, wait, self._name))
        if self._in_line and not self._listens:
            self._listens = True
            place.connection.subscribe("room", lambda part: self._room(), lambda error: None)
        return ready

    def _launch(self, batch: Sequence[Ready], new: Sequence[Work], place: Place) -> None:
        """Give these orders, of which the `new` ones were never sent before."""
        connection = place.connection
        clock = time.monotonic()
        for work, _, _ in batch:
            self.asked[work.launch.nonce] = clock
        try:
            parts = connection.stream(
                "launch",
                root=place.workspace.root,
                orders=[order.to_json() for _, order, _ in batch],
                granted=[dict(grant) for _, _, grant in batch],
                python=place.python,
                engine=place.engine,
                code=place.code,
                env=dict(place.env),
                warm=True,
            )
        except XpmError:
            for work in new:
                if work.phase is Phase.SENT:
                    self._unsay_where(work)
            raise
        for part in parts:
            told: list[tuple[int, Any]] = part.body.get("told", [])
            for index, answer in told:
                work = batch[index][0]
                try:
                    if "error" in answer:
                        raise raised(answer["error"], connection.name)
                    self._answered(work, connection, answer)
                except UnreachableError:
                    raise
                except XpmError as error:
                    self._give_up(work, connection, error)

    def _told_limits(self, works: Sequence[Work]) -> dict[str, Any]:
        limits = self._limits()
        tokens = dict(limits.tokens)
        for work in works:
            tokens.update(_resources(work).declared)
        return {
            "cpus": limits.cpus,
            "memory": limits.memory,
            "devices": limits.devices,
            "tokens": tokens,
        }


def _wanted(work: Work) -> list[Any]:
    return [str(work.key), work.launch.nonce, demand_to_json(_resources(work).demand())]


def _resources(work: Work) -> Resources:
    return Resources.read(work.launch.resources, str(work.key))


def _wait(work: Work, told: Any, host: str) -> Wait | None:
    """What a job waits for there, as the host says it."""
    try:
        return None if told is None else Wait.read(Fields({**told, "host": host}, host))
    except UnreadableError:
        return None


def _batches(ready: Sequence[Ready]) -> Iterator[list[Ready]]:
    """As many orders together as fit into one request."""
    batch: list[Ready] = []
    size = 0
    for each in ready:
        length = len(dumps(each[1].to_json()))
        if batch and size + length > MOST:
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += length
    if batch:
        yield batch
