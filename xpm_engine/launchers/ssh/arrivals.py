"""What comes back from a host: written while it runs, fetched when it is done, then ended here."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from xpm_engine.errors import RemoteError, StorageError, UnreachableError, UnreadableError, XpmError
from xpm_engine.launchers.ssh.fetching import fetch, fetch_result
from xpm_engine.launchers.ssh.mirror import JobMirror
from xpm_engine.launchers.ssh.site import Place, Site
from xpm_engine.launchers.ssh.work import Phase, Work
from xpm_engine.launchers.ssh.worker import TICK, Task, Worker
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.frames import Message
from xpm_engine.workspace.atomic import dumps, read_object, write_atomic
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import End, Start
from xpm_engine.workspace.settings import HostSettings

Reach = Callable[[Work], Place]
"""The place where a job is, if it can be reached now; raises XpmError."""


FETCHERS = 4
"""Results of one host that are brought at a time."""


class Arrivals:
    """The jobs of one host that are listened to."""

    def __init__(
        self,
        name: str,
        settings: HostSettings,
        site: Site,
        *,
        reach: Reach,
        watched: Callable[[JobKey], frozenset[str]],
        changed: Callable[[JobKey], None],
        kill: Callable[[Work], None],
        leave: Callable[[Work], None],
        log: Callable[[str], None],
    ) -> None:
        self._name, self._settings, self._site = name, settings, site
        self._reach, self._changed, self._kill, self._leave = reach, changed, kill, leave
        self._watched = watched
        self._bringing: set[str] = set()
        """Nonces of jobs of which files that are watched are on their way."""
        self._log = log
        self._mirrors: dict[str, JobMirror] = {}
        self._written = Worker(f"xpm-mirror-{name}", log=log)
        # A large result keeps no small one waiting, nor a slow line the next question.
        self._fetched = [
            Worker(f"xpm-fetch-{name}-{number}", log=log) for number in range(FETCHERS)
        ]

    def start(self) -> None:
        """Begin."""
        self._written.start()
        for worker in self._fetched:
            worker.start()

    def close(self) -> None:
        """Write nothing more."""
        self._written.close()
        for worker in self._fetched:
            worker.close()

    def listen(self, work: Work, connection: Connection, folder: str) -> None:
        """Hear what a job does, whose lock is held here; `folder` is its ``.xpm/`` there."""
        mirror = JobMirror(work, self._name)
        self._mirrors[work.launch.nonce] = mirror
        work.subscription = connection.subscribe(
            "follow",
            lambda part: self._written.do(lambda: self._take(work, mirror, part)),
            lambda error: self._written.do(lambda: self._unheard(work, mirror, error)),
            folder=folder,
            files=mirror.files(),
        )

    def refresh(self, work: Work) -> None:
        """Note that what is here is true."""
        mirror = self._mirrors.get(work.launch.nonce)
        if mirror is not None and work.phase is Phase.FOLLOWED:
            self._written.do(mirror.refresh)

    def end(self, work: Work, end: End) -> None:
        """It has ended, and there is nothing to fetch."""
        self._written.do(lambda: self._finish(work, end))

    def bring(self, work: Work) -> None:
        """Bring the result of a job that has ended there."""
        self.do(lambda: self._fetch(work))

    def do(self, task: Task) -> None:
        """Have one of the threads that fetch do something, the one that has least to do."""
        min(self._fetched, key=lambda each: each.waiting).do(task)

    def bring_watched(self, work: Work) -> None:
        """Bring what the plan watches of a job that runs there."""
        nonce = work.launch.nonce
        if self._settings.shared or nonce in self._bringing or not self._watched(work.key):
            return
        self._bringing.add(nonce)
        self.do(lambda: self._fetch_watched(work))

    def forget(self, work: Work) -> None:
        """Listen to a job no more."""
        if work.subscription is not None:
            work.subscription.stop()
        work.subscription = None
        self._mirrors.pop(work.launch.nonce, None)

    def _take(self, work: Work, mirror: JobMirror, part: Message) -> None:
        if work.phase is not Phase.FOLLOWED or self._mirrors.get(work.launch.nonce) is not mirror:
            return
        try:
            if mirror.take(part.body, part.data):
                self._changed(work.key)
        except (StorageError, UnreadableError) as error:
            # Told again from where it stands, when there is room.
            self._log(f"{work.key}: {error}")
            self.forget(work)
            return
        if work.kill:
            self._kill(work)
        if work.end is not None:
            work.phase = Phase.FETCHING
            self.bring(work)

    def _unheard(self, work: Work, mirror: JobMirror, error: XpmError | None) -> None:
        """The listening has ended: with the job, or with the connection."""
        if self._mirrors.get(work.launch.nonce) is not mirror:
            return
        work.subscription = None
        if error is not None and not isinstance(error, UnreachableError):
            self._log(f"{work.key}: {error}")

    def _finish(self, work: Work, end: End) -> None:
        """The end here: the result is here, as far as it was asked for."""
        mirror = self._mirrors.get(work.launch.nonce)
        if mirror is None or work.phase is Phase.OVER:
            return
        try:
            mirror.finish(self._site.here(end))
        except StorageError as error:
            self._log(f"{work.key}: {error}")
            time.sleep(TICK)
            self.end(work, end)
            return
        self._leave(work)

    def _fetch(self, work: Work) -> None:
        """Bring what was asked for of a result, then record the end."""
        end = work.end
        if end is None:
            return
        watched = self._watched(work.key)
        if end.outcome is Outcome.DONE or watched:
            try:
                place = self._reach(work)
                there = place.workspace.job(work.key)
                if end.outcome is Outcome.DONE:
                    patterns = (*self._settings.fetch, *watched)
                    tally = fetch(place.connection, there.root, work.job.root, patterns)
                    fetch_result(place.connection, there, work.job, work.attempt)
                    fetched = tally.fetched(self._name, there.root)
                    write_atomic(work.job.fetched, dumps(fetched.to_json()))
                else:
                    fetch(place.connection, there.root, work.job.root, tuple(watched))
            except (StorageError, RemoteError) as error:
                if not isinstance(error, UnreachableError):
                    self._log(f"the result of {work.key} can't be fetched yet: {error}")
                self._again(work)
                return
        self.end(work, end)

    def _fetch_watched(self, work: Work) -> None:
        try:
            if work.phase is Phase.FOLLOWED:
                place = self._reach(work)
                root = place.workspace.job(work.key).root
                patterns = tuple(self._watched(work.key))
                fetch(place.connection, root, work.job.root, patterns, written=True)
        except UnreachableError:
            return
        except (StorageError, RemoteError) as error:
            self._log(f"what is watched of {work.key} can't be fetched yet: {error}")
        finally:
            self._bringing.discard(work.launch.nonce)

    def _again(self, work: Work) -> None:
        """Fetch once more, a little later."""
        timer = threading.Timer(TICK, self.bring, (work,))
        timer.daemon = True
        timer.start()


def has_begun(work: Work) -> bool:
    """Whether its start is recorded here, or that it will have none."""
    return os.path.exists(work.job.start(work.attempt))


def is_void(work: Work) -> bool:
    """Whether somebody here has said that it is not to start; not where it has started."""
    path = work.job.start(work.attempt)
    try:
        return Start.from_json(read_object(path), path).void
    except (FileNotFoundError, UnreadableError):
        return False


def has_ended(work: Work) -> bool:
    """Whether its end is recorded here."""
    return os.path.exists(work.job.end(work.attempt))
