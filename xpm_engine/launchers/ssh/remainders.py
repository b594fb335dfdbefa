"""What was left on a host of a finished result, and is needed here now: brought by a plan."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from xpm_engine.errors import RemoteError, StorageError, UnreadableError, XpmError
from xpm_engine.launchers.base import Coming
from xpm_engine.launchers.ssh.fetching import Progress, fetch_rest
from xpm_engine.launchers.ssh.site import Place
from xpm_engine.launchers.ssh.work import Phase, Work
from xpm_engine.launchers.ssh.worker import TICK, Task
from xpm_engine.words import percent, size
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.elsewhere import still_there
from xpm_engine.workspace.layout import JobPaths
from xpm_engine.workspace.records.mirror import MirrorState

Told = Callable[[Coming], None]


class Remainders:
    """Brings the rest of results from one host, for as long as its plan goes on."""

    def __init__(
        self, name: str, *, reach: Callable[[Work], Place], do: Callable[[Task], None]
    ) -> None:
        """`do` has a thread that fetches do something; `reach` raises XpmError."""
        self._name, self._reach, self._do = name, reach, do

    def bring(self, job: JobPaths, told: Told) -> None:
        """Bring all of it, trying again until it is here or has gone there."""
        self._do(lambda: self._try(job, told))

    def _try(self, job: JobPaths, told: Told) -> None:
        try:
            text = self._fetch(job, told)
        except (StorageError, RemoteError) as error:
            text = error.what
        except (XpmError, FileNotFoundError) as error:
            told(Coming(str(error)))
            return
        told(Coming(text, over=not text))
        if text:
            timer = threading.Timer(TICK, self.bring, (job, told))
            timer.daemon = True
            timer.start()

    def _fetch(self, job: JobPaths, told: Told) -> str:
        """What keeps it there; empty when it is here."""
        lock = tickets.take_lock(job, patience=0.0)
        if lock is None:
            return "its folder here is in use: it is fetched, cleaned or run again just now"
        try:
            if still_there(job) is not None:
                work = _work(job)
                place = self._reach(work)
                there = place.workspace.job(work.key)
                progress = _telling(told)
                fetch_rest(place.connection, there, job, work.key, of=self._name, progress=progress)
        finally:
            os.close(lock)
        return ""


def _telling(told: Told) -> Progress:
    """Tells, each second, how much has come."""
    due = time.monotonic() + TICK

    def progress(here: int, total: int) -> None:
        nonlocal due
        clock = time.monotonic()
        if clock >= due:
            due = clock + TICK
            told(Coming(f"{percent(here / max(1, total))} of {size(total)}", over=False))

    return progress


def _work(job: JobPaths) -> Work:
    """The attempt whose result it is, and where that is."""
    attempt = tickets.last_attempt(job)
    if attempt is None:
        raise UnreadableError("its tickets are gone", where=job.xpm)
    path = job.mirror(attempt.number)
    state = MirrorState.from_json(read_object(path), path)
    return Work(
        attempt.launch.key,
        job,
        attempt.launch,
        Phase.OVER,
        far_attempt=state.attempt,
        far_nonce=state.nonce,
        machine=state.machine,
    )
