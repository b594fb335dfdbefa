"""What an attempt holds of the pool: written for it, held by its supervisor, reclaimed if dead."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import Generator, Optional

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import dumps, read_object, storage_error
from xpm_engine.workspace.layout import JobPaths, PoolPaths
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.pool import Reservation


def write(paths: PoolPaths, reservation: Reservation) -> None:
    """Write it; under the mutex. Raises StorageError, leaving nothing behind."""
    path = paths.reservation(reservation.nonce)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, dumps(reservation.to_json()))
        finally:
            os.close(descriptor)
    except OSError as error:
        remove(paths, reservation.nonce)
        raise storage_error(error, path, "reserve resources") from error


def read(paths: PoolPaths, nonce: str) -> Optional[Reservation]:
    """Read it; under the mutex. None if it is gone, or its writer died while it wrote."""
    path = paths.reservation(nonce)
    try:
        return Reservation.from_json(read_object(path), path)
    except (FileNotFoundError, UnreadableError):
        return None


def remove(paths: PoolPaths, nonce: str) -> None:
    """Give it back, and wake who waits; of no effect if it was given back before.

    Needs no mutex: it only frees.
    """
    with suppress(OSError):
        os.unlink(paths.reservation(nonce))
        wake_waiting(paths)


def wake_waiting(paths: PoolPaths) -> None:
    """Tell every plan that waits to look again."""
    with suppress(OSError):
        for plan in paths.listing()[1]:
            with suppress(OSError):
                # Nobody at the other end: an error, and nobody to be told.
                pipe = os.open(paths.wake(plan), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                try:
                    os.write(pipe, b"\0")
                finally:
                    os.close(pipe)


@contextmanager
def held(paths: PoolPaths, nonce: str) -> Generator[Optional[int], None, None]:
    """Hold a reservation while its attempt runs, and give it back after that.

    Yields the descriptor of the lock, which the task is to inherit; None if it is not there: it
    was taken for lost, and the attempt must not start.
    """
    descriptor = _lock(paths.reservation(nonce))
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            remove(paths, nonce)
            os.close(descriptor)


def reclaim(paths: PoolPaths, reservation: Reservation) -> bool:
    """Give back what nobody uses any more; under the mutex. Whether it was given back.

    That is one with neither a lock nor a live launch. Removed while it is locked here: a
    supervisor that comes too late finds it gone, and leaves.
    """
    descriptor = _lock(paths.reservation(reservation.nonce))
    if descriptor is None:
        return not os.path.exists(paths.reservation(reservation.nonce))
    try:
        if _launch_lives(reservation):
            return False
        remove(paths, reservation.nonce)
        return True
    finally:
        os.close(descriptor)


def _lock(path: str) -> Optional[int]:
    """The lock of a reservation, if it is there and nobody has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # It may have been removed between the two.
        if os.fstat(descriptor).st_nlink:
            return descriptor
    os.close(descriptor)
    return None


def _launch_lives(reservation: Reservation) -> bool:
    """Whether the attempt may still come, or run although nobody holds the lock.

    Before its N.start it depends on its plan, after that on its supervisor. What can't be seen
    from here counts as living.
    """
    keeper = reservation.driver
    try:
        attempt = tickets.newest_attempt(JobPaths(reservation.job))
    except (FileNotFoundError, UnreadableError):
        attempt = None
    if attempt is not None and attempt.launch.nonce == reservation.nonce:
        if attempt.end is not None or attempt.void:
            return False
        if attempt.start is not None:
            keeper = attempt.start.by
    return processes.liveness(keeper) is not Liveness.DEAD
