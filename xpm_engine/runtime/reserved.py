"""What the plan reserved for an attempt: held while it runs, and told to the task."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager

from xpm_engine.workspace.layout import PoolPaths
from xpm_engine.workspace.pool import reservations
from xpm_engine.workspace.records.resources import GRANTED, Granted
from xpm_engine.workspace.records.tickets import Launch


@contextmanager
def reserved(launch: Launch) -> Generator[tuple[int, ...] | None, None, None]:
    """Hold the reservation of an attempt, and give it back at the end.

    Yields the locks that the task is to inherit. None: the reservation was taken for lost, so
    others may use what it stood for, and the attempt must not start. Its plan, if there still is
    one, tries again. In the block, the environment names the GPUs that were granted.
    """
    granted = _granted(launch)
    if granted.devices:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(granted.devices)
    if not granted.pool:
        yield ()
        return
    with reservations.held(PoolPaths(granted.pool), launch.nonce) as lock:
        yield None if lock is None else (lock,)


def give_back(launch: Launch) -> None:
    """Give back what was reserved before the block of `reserved` ends: nothing uses it any more."""
    granted = _granted(launch)
    if granted.pool:
        reservations.remove(PoolPaths(granted.pool), launch.nonce)


def _granted(launch: Launch) -> Granted:
    """What was granted; the environment that a task hands on may tell of another order."""
    told = json.loads(os.environ.get(GRANTED, "{}"))
    if told.get("nonce") == launch.nonce:
        return Granted.read(told, GRANTED)
    return Granted.read(launch.resources, "N.launch")
