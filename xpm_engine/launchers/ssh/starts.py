"""Orders that a host has and whose start is not seen: their processes wait there, or are lost."""

from __future__ import annotations

import time
from collections.abc import Callable

from xpm_engine.errors import LaunchError, UnreachableError, XpmError
from xpm_engine.launchers.ssh.arrivals import Arrivals
from xpm_engine.launchers.ssh.endings import Endings
from xpm_engine.launchers.ssh.sending import Sending
from xpm_engine.launchers.ssh.site import Place, Site, last_words
from xpm_engine.launchers.ssh.work import Phase, Work
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.link import Link
from xpm_engine.workspace.records.reasons import Wait, WaitKind

MOST_TRIES = 3
"""Times that an order may be started there without a start to be seen."""

PATIENCE = 5.0
"""Seconds after which an order without a start is asked for again."""


class Starts:
    """Sees to it that what was sent to one host starts there; in the host's shipping thread."""

    def __init__(
        self,
        link: Link,
        site: Site,
        *,
        sending: Sending,
        arrivals: Arrivals,
        endings: Endings,
        waits: Callable[[Work, Wait | None], None],
        log: Callable[[str], None],
    ) -> None:
        self._link, self._site = link, site
        self._sending, self._arrivals, self._endings = sending, arrivals, endings
        self._waits, self._log = waits, log

    def look_after(self, work: Work) -> None:
        """Ask about an order that was sent a while ago; it is to be sent again where it is lost."""
        asked = self._sending.asked.get(work.launch.nonce, 0.0)
        if time.monotonic() <= asked + PATIENCE:
            return
        try:
            connection = self._link.connection()
            place = self._site.known(connection)
            if self._waits_there(work, connection, place):
                return
            work.tries += 1
            if work.tries >= MOST_TRIES:
                said = last_words(connection, place.workspace)
                name = self._link.name
                error = LaunchError(f"{name}: its process ended before it started: {said}")
                self._endings.give_up(work, connection, error)
                # Where it can't be: not again at once.
                self._sending.asked[work.launch.nonce] = time.monotonic()
                return
            self._arrivals.forget(work)
            work.phase = Phase.SENT
        except UnreachableError:
            return
        except XpmError as error:
            self._log(f"{work.key}: {error}")

    def _waits_there(self, work: Work, connection: Connection, place: Place) -> bool:
        """Whether its process is there, and will begin, or it has begun just now."""
        asked = [[str(work.key), work.far_nonce]]
        (found,) = connection.ask("find", root=place.workspace.root, jobs=asked)["found"]
        if found is None:
            return False
        begun = found["start"] is not None or found["end"] is not None
        if not begun and not found["waits"]:
            return False
        work.tries = 0
        self._sending.asked[work.launch.nonce] = time.monotonic()
        if work.launch.shared and not begun:
            self._waits(work, Wait(work.key, WaitKind.SHARED, host=self._link.name))
        return True
