"""A plan in the pool: it asks for its jobs, waits in line with the other plans, and is woken."""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from contextlib import contextmanager, suppress
from typing import Callable, Dict, Generator, Iterable, List, Optional, Set, Tuple

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import dumps, parse_object, storage_error
from xpm_engine.workspace.layout import JobKey, PoolPaths
from xpm_engine.workspace.pool import reservations
from xpm_engine.workspace.pool.folder import mutex, open_folder
from xpm_engine.workspace.pool.sharing import Limits, Share, Shortage
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.pool import Place, Reservation, Waiting
from xpm_engine.workspace.records.resources import Demand

LAPSE = 2.0
"""Seconds after which a plan that does not take its turn keeps nobody waiting: it was stopped, or
is busy with something else. It has its turn again as soon as it looks."""

Sign = Callable[[JobKey, str, Demand, Tuple[str, ...], str], Reservation]
"""Makes the reservation of a job (key, folder, demand, GPUs, nonce), and writes it."""


class Turn:
    """One look at the pool, under its mutex: ask for jobs in their order, take what is granted."""

    def __init__(
        self,
        share: Share,
        since: "Dict[Demand, float]",
        sign: Sign,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`since` tells when each demand began to wait, and is kept up to date; `sign` makes the
        reservation; `clock` is that of all plans of this machine.
        """
        self._share = share
        self._since = since
        self._sign = sign
        self._clock = clock
        self._latest = 0.0
        self.refused: Dict[Demand, Shortage] = {}
        """What can't go now, and why."""

    def ask(self, key: JobKey, job: str, demand: Demand, nonce: str = "") -> Optional[Reservation]:
        """Reserve what a job needs; None if it can't go now. Raises StorageError.

        `nonce` is that of its order, where it has one; else the order will have the reservation's.
        """
        # No earlier than what this plan puts before it: the lines of all plans must be in one
        # order, or two plans keep what is free for each other, and none takes it.
        self._latest = max(self._latest, self._since.get(demand) or self._clock())
        self._since[demand] = self._latest
        shortage = self._share.ask(demand, self._latest)
        if shortage is not None:
            self.refused[demand] = shortage
            return None
        made = self._sign(key, job, demand, self._share.devices_for(demand), nonce)
        self._share.take(made)
        # The next job of this kind waits behind those of other plans that wait by now.
        self._since[demand] = self._clock()
        return made


class Member:
    """One plan in the pool of this machine; for one thread."""

    def __init__(self, limits: Limits, *, run: str, driver: ProcessIdentity) -> None:
        """Raises StorageError if the pool's folder can't be used."""
        self.limits = limits
        self._run = run
        self._driver = driver
        self._plan = secrets.token_hex(8)
        self._paths = open_folder()
        self._own: Dict[str, Reservation] = {}
        self._known: Dict[str, Reservation] = {}
        """All reservations at the last look, ours included."""
        self._others: List[Waiting] = []
        self._called: Dict[Tuple[str, float], float] = {}
        self._since: Dict[Demand, float] = {}
        self._line = _Line()
        self._stamp = (0, 0)

    @property
    def folder(self) -> str:
        """Where the pool is: what a job's process is told."""
        return self._paths.root

    @property
    def pipe(self) -> Optional[int]:
        """Readable when it is time to look again; None as long as this plan has not waited."""
        return self._line.pipe

    @property
    def alone(self) -> bool:
        """Whether, at the last look, all that was taken was ours, and nobody else waited."""
        return not self._others and self._known.keys() <= self._own.keys()

    @property
    def changed(self) -> bool:
        """Whether somebody came or went since the last look; cheap."""
        return self._stamp != _stamp(self._paths.root)

    @contextmanager
    def turn(self) -> Generator[Optional[Turn], None, None]:
        """Look at the pool; yields None where its mutex can't be had now. Raises StorageError."""
        if not os.path.isdir(self._paths.root):
            self._reopen()
        with mutex(self._paths) as held:
            if not held:
                yield None
                return
            self._read()
            share = Share(self.limits, self._known.values(), self._in_time(), plan=self._plan)
            turn = Turn(share, self._since, self._reserve)
            yield turn
            self._remember_called(share.called)
            self._wait_with(turn.refused)
            self._stamp = _stamp(self._paths.root)

    def release(self, nonce: str) -> None:
        """A job is over, or was not started after all."""
        self._known.pop(nonce, None)
        if self._own.pop(nonce, None) is not None:
            reservations.remove(self._paths, nonce)

    def hand_over(self, nonce: str) -> None:
        """What was reserved is its supervisor's from now on, who gives it back."""
        self._own.pop(nonce, None)

    def reservation(self, nonce: str) -> Optional[Reservation]:
        """What was reserved for an order, by whomever, at the last look."""
        return self._known.get(nonce)

    @property
    def waits(self) -> bool:
        """Whether this plan stands in the line."""
        return bool(self._line.places)

    def withdraw(self) -> None:
        """Wait for nothing any more."""
        if self._line.places:
            self._wait_with(())
            reservations.wake_waiting(self._paths)

    def close(self) -> None:
        """Leave the line; what runs keeps what it has."""
        self.withdraw()
        self._line.leave(self._paths, self._plan)
        self._line.close()

    def _reserve(
        self, key: JobKey, job: str, demand: Demand, devices: "Tuple[str, ...]", nonce: str
    ) -> Reservation:
        nonce = nonce or tickets.new_nonce()
        made = Reservation(nonce, key, job, demand, devices, self._driver, self._run, now())
        reservations.write(self._paths, made)
        self._own[nonce] = self._known[nonce] = made
        return made

    def _read(self) -> None:
        nonces, plans = self._paths.listing()
        known: Dict[str, Reservation] = {}
        for nonce in nonces:
            found = self._known.get(nonce) or reservations.read(self._paths, nonce)
            if found is None:
                # Its writer died while it wrote: nobody was started with it.
                reservations.remove(self._paths, nonce)
            elif nonce in self._own or not reservations.reclaim(self._paths, found):
                known[nonce] = found
        self._known = known
        others = [self._waiting(plan) for plan in plans if plan != self._plan]
        self._others = [other for other in others if other is not None]

    def _waiting(self, plan: str) -> Optional[Waiting]:
        """What another plan waits for; its traces are removed if it is dead."""
        path = self._paths.waiting(plan)
        try:
            with open(path, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            try:
                with open(path, "rb") as file:
                    found = Waiting.from_json(parse_object(file.read(), path), path)
            except (FileNotFoundError, UnreadableError):
                return None
            if processes.liveness(found.driver) is not Liveness.DEAD:
                return found
        _remove_traces(self._paths, plan)
        return None

    def _in_time(self) -> "List[Waiting]":
        """The other plans, without the places that lapsed."""
        oldest = time.monotonic() - LAPSE
        late = {place for place, called in self._called.items() if called < oldest}
        if not late:
            return self._others
        return [
            Waiting(
                other.plan,
                other.run,
                other.driver,
                tuple(each for each in other.places if (other.plan, each.since) not in late),
            )
            for other in self._others
        ]

    def _remember_called(self, called: "Set[Tuple[str, float]]") -> None:
        there = {(other.plan, place.since) for other in self._others for place in other.places}
        clock = time.monotonic()
        lapsed = {
            place: at
            for place, at in self._called.items()
            if place in there and (place in called or at < clock - LAPSE)
        }
        self._called = {**dict.fromkeys(called, clock), **lapsed}

    def _wait_with(self, demands: "Iterable[Demand]") -> None:
        since = {demand: self._since[demand] for demand in demands}
        self._since = since
        places = tuple(Place(at, demand) for demand, at in since.items())
        if places != self._line.places:
            waiting = Waiting(self._plan, self._run, self._driver, places)
            self._line.stand(self._paths, self._plan, waiting)

    def _reopen(self) -> None:
        """The folder has gone, as it does when the user's last session ends: begin it anew."""
        self._line.leave(self._paths, self._plan)
        self._paths = open_folder()
        self._known.clear()
        for reservation in self._own.values():
            reservations.write(self._paths, reservation)


class _Line:
    """Our place in the line: a locked file that says what we wait for, and a pipe to wake us."""

    def __init__(self) -> None:
        self.places: Tuple[Place, ...] = ()
        self.pipe: Optional[int] = None
        self._file: Optional[int] = None

    def stand(self, paths: PoolPaths, plan: str, waiting: Waiting) -> None:
        """Say what we wait for; under the mutex. Raises StorageError."""
        path = paths.waiting(plan)
        try:
            if self._file is None:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                self._file = os.open(path, flags, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.mkfifo(paths.wake(plan), 0o600)
                self._listen(paths.wake(plan))
            data = dumps(waiting.to_json())
            os.pwrite(self._file, data, 0)
            os.ftruncate(self._file, len(data))
        except OSError as error:
            raise storage_error(error, path, "wait for resources") from error
        self.places = waiting.places

    def leave(self, paths: PoolPaths, plan: str) -> None:
        """Wait for nothing; without the mutex, as it only makes room."""
        self.places = ()
        if self._file is not None:
            _remove_traces(paths, plan)
            os.close(self._file)
            self._file = None

    def close(self) -> None:
        """Close the pipe, which nobody may be listening to any more."""
        if self.pipe is not None:
            os.close(self.pipe)
            self.pipe = None

    def _listen(self, path: str) -> None:
        former = self.pipe
        # Open for writing too: else it would end when a writer closes it.
        self.pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        # Only now, so that the two have different numbers: a selector could not tell them apart.
        if former is not None:
            os.close(former)


def _remove_traces(paths: PoolPaths, plan: str) -> None:
    for path in (paths.waiting(plan), paths.wake(plan)):
        with suppress(OSError):
            os.unlink(path)


def _stamp(folder: str) -> "Tuple[int, int]":
    try:
        found = os.stat(folder)
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino
