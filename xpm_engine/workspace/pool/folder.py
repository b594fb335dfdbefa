"""Where the pool of this machine is, that it is the user's own, and its one mutex."""

from __future__ import annotations

import os
import stat
import time
from contextlib import contextmanager
from typing import Generator, Mapping, Optional

from xpm_engine.errors import StorageError
from xpm_engine.workspace.atomic import storage_error
from xpm_engine.workspace.layout import PoolPaths
from xpm_engine.workspace.tickets import hold

PATIENCE = 5.0
"""Seconds to wait for the mutex, which is held for less than a millisecond: its holder may have
been stopped."""


FALLBACK = f"/tmp/xpm-{os.geteuid()}"
"""The user's runtime folder where the system has none."""

STANDARD = f"/run/user/{os.geteuid()}"
"""The one that systemd makes with a user's first session, names in it, and removes with the last.

An agent that ssh starts may not be told of it, and a login session of the same user is."""


def open_folder(environment: Optional[Mapping[str, str]] = None) -> PoolPaths:
    """The pool's folder, made if it is absent: that of `runtime_folder`, or where there is one yet.

    Who is told of no runtime folder and who is told of the usual one find the same pool: the one in
    ``/tmp`` for as long as anything is counted there. Raises StorageError if the folder can't be
    made, or is not the user's alone.
    """
    root = runtime_folder(environment)
    if root == STANDARD and _is_own(FALLBACK) and _is_used(PoolPaths(FALLBACK + "/pool")):
        root = FALLBACK
    own_folder(root + "/pool")
    return PoolPaths(root + "/pool")


def runtime_folder(environment: Optional[Mapping[str, str]] = None) -> str:
    """The user's folder for what lasts no longer than the machine runs; raises StorageError.

    The one that is named, else the usual one, where it is there; else the one in ``/tmp``. Sessions
    end, and with the last one the usual folder; jobs do not.
    """
    named = (os.environ if environment is None else environment).get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(named) and os.path.isdir(named):
        return named.rstrip("/") or "/"
    if _is_own(STANDARD):
        return STANDARD
    own_folder(FALLBACK)
    return FALLBACK


def _is_used(pool: PoolPaths) -> bool:
    try:
        nonces, plans = pool.listing()
    except OSError:
        return False
    return bool(nonces or plans)


def _is_own(path: str) -> bool:
    """Whether it is a folder of this user's, that nobody else may enter."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    private = not found.st_mode & 0o077
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and private


@contextmanager
def mutex(paths: PoolPaths) -> Generator[bool, None, None]:
    """Hold the pool's mutex; yields False if it can't be had within `PATIENCE`, or went away.

    Raises StorageError.
    """
    deadline, pause = time.monotonic() + PATIENCE, 0.0002
    while True:
        descriptor = hold(paths.mutex, patience=0.0)
        if descriptor is not None or time.monotonic() >= deadline:
            break
        if not os.path.isdir(paths.root):
            break
        time.sleep(pause)
        pause = min(0.01, 2 * pause)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def own_folder(path: str, what: str = "the machine's pool") -> None:
    """Make a folder that only this user may enter, or check that it is one.

    In ``/tmp`` anybody may have made something of that name before us. Raises StorageError, which
    says `what` can't be used.
    """
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise storage_error(error, path, "create this folder") from error
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        fault = "is no folder but a link" if stat.S_ISLNK(found.st_mode) else "is no folder"
    elif found.st_uid != os.geteuid():
        fault = f"belongs to user {found.st_uid}"
    elif found.st_mode & 0o077:
        fault = f"is open to others (mode {stat.S_IMODE(found.st_mode):04o})"
    else:
        return
    raise StorageError(
        f"{what} can't be used: its folder {fault}",
        where=path,
        hint="see who made it (ls -ld), then move it away or run chmod 700 on it",
    )
