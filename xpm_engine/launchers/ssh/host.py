"""One host of a plan: its connection, and the way of each job through it.

Three threads: one ships and asks, one writes what comes back, one fetches results. A job is in one
of them at a time. What a cut connection interrupts is asked again, by nonce, when there is one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from xpm_engine.errors import (
    LaunchError,
    RefusedError,
    UnreachableError,
    XpmError,
)
from xpm_engine.launchers.ssh.arrivals import Arrivals, has_begun, has_ended, is_void
from xpm_engine.launchers.ssh.endings import Endings
from xpm_engine.launchers.ssh.remainders import Remainders
from xpm_engine.launchers.ssh.sending import Sending
from xpm_engine.launchers.ssh.site import Place, Site, machine_of
from xpm_engine.launchers.ssh.starts import Starts
from xpm_engine.launchers.ssh.work import Phase, Work
from xpm_engine.launchers.ssh.worker import Worker
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.link import Dial, Link
from xpm_engine.remote.openssh import connect, parse_destination
from xpm_engine.workspace import tickets
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.pool.sharing import Limits
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.settings import CodeSettings, HostSettings

REAP = 4.0
"""Seconds between two questions whether what runs there still lives."""

REFRESH = 30.0
"""Seconds between two notes that what is mirrored is true."""


class Host:
    """One host, for one plan."""

    def __init__(
        self,
        name: str,
        settings: HostSettings,
        code: CodeSettings,
        *,
        limits: Callable[[], Limits],
        watched: Callable[[JobKey], frozenset[str]],
        over: Callable[[Work], None],
        changed: Callable[[JobKey], None],
        settled: Callable[[Sequence[Work]], None],
        elsewhere: Callable[[Work], None],
        log: Callable[[str], None],
        dial: Dial | None = None,
    ) -> None:
        """`limits` tells what there is; `changed` hears of each change of a job's tickets.

        `watched` tells the patterns of the files that the plan waits for while a job runs.

        `over` hears when a job has left, `settled` when the host can be reached again, or no more:
        with those that were never sent, and are let go of; `elsewhere` of one that another plan has
        sent, and that is to be found where that was.
        """
        destination = parse_destination(settings.host)

        def ssh(suspicious: bool) -> Connection:
            return connect(destination, suspicious=suspicious)

        def say(text: str) -> None:
            log(f"{name}: {text}")

        self.name = name
        self.settings = settings
        self._over, self._changed, self._settled, self._log = over, changed, settled, say
        self._elsewhere = elsewhere
        self.link = Link(name, dial or ssh, up=self._up, down=self._down)
        self._site = Site(name, settings, code)
        self._arrivals = Arrivals(
            name,
            settings,
            self._site,
            reach=self._reach,
            watched=watched,
            changed=changed,
            kill=self._kill,
            leave=self._leave,
            log=say,
        )
        self.remainders = Remainders(name, reach=self._reach, do=self._arrivals.do)
        self._worker = Worker(f"xpm-ship-{name}", log=say, tick=self._tick)
        self._endings = Endings(
            self.link,
            self._site,
            self._arrivals,
            shared=settings.shared,
            leads_to=self._leads_to,
            leave=self._leave,
            waits=self._wait,
            log=say,
        )
        self._sending = Sending(
            name,
            self._site,
            limits=limits,
            leads_to=self._leads_to,
            answered=self._answered,
            waits=self._wait,
            give_up=self._endings.give_up,
            room=lambda: self._worker.do(self._send),
            astray=self._astray,
            log=say,
        )
        self._starts = Starts(
            self.link,
            self._site,
            sending=self._sending,
            arrivals=self._arrivals,
            endings=self._endings,
            waits=self._wait,
            log=say,
        )
        self._works: dict[str, Work] = {}
        self._reap_at = self._refresh_at = 0.0
        self._started = False

    def start(self) -> Host:
        """Connect, and begin; once."""
        if not self._started:
            self._started = True
            self.link.start()
            self._worker.start()
            self._arrivals.start()
        return self

    def take(self, work: Work) -> None:
        """See to a job, from any thread."""
        self.start()
        self._works[work.launch.nonce] = work
        if work.phase in (Phase.NEW, Phase.SENT):
            self._worker.do(self._send)
        else:
            self._worker.do(lambda: self._advance(work))

    def why_waits(self, key: JobKey) -> Wait | None:
        """What a job waits for that has not begun, from any thread."""
        for work in list(self._works.values()):
            if work.key == key:
                return work.wait
        return None

    def kill(self, nonce: str) -> threading.Event | None:
        """Ask a job to stop; set when that was tried. None for one that it does not have."""
        work = self._works.get(nonce)
        if work is None:
            return None
        work.kill = True
        tried = threading.Event()
        self._kill(work)
        self._worker.do(tried.set)
        return tried

    def close(self) -> None:
        """Let go; what runs there goes on."""
        if not self._started:
            return
        self.link.close()
        self._worker.close()
        self._arrivals.close()
        for work in self._works.values():
            _release(work)

    def _up(self, connection: Connection) -> None:
        self._log(f"connected ({connection.hello.host})")
        if abs(connection.hello.skew) > 5:
            self._log(f"its clock is off by {connection.hello.skew:+.0f} s")
        self._worker.do(self._resume)

    def _down(self, error: XpmError) -> None:
        self._log(f"no connection: {error.what}")
        self._worker.do(self._let_go)

    def _resume(self) -> None:
        """There is a connection again: go on with everything."""
        self._reap_at = 0.0
        self._settled(())
        self._send()
        for work in list(self._works.values()):
            self._advance(work)

    def _let_go(self) -> None:
        """There is no connection: what was never sent may go elsewhere, what was may be there."""
        error = self.link.error
        if error is None:
            return
        unsent: list[Work] = []
        for work in list(self._works.values()):
            if work.phase is Phase.NEW and not isinstance(error, RefusedError):
                self._works.pop(work.launch.nonce)
                self._sending.forget(work.launch.nonce)
                work.wait = None
                unsent.append(work)
            elif work.phase is Phase.NEW:
                self._endings.void(work, str(error))
            elif work.phase is Phase.SENT:
                wait = Wait(work.key, WaitKind.SENT, what=error.what, host=self.name)
                self._wait(work, wait)
        self._settled(unsent)

    def _kill(self, work: Work) -> None:
        """Ask a job to stop, from any thread, when it is its turn."""
        self._worker.do(lambda: self._endings.kill(work))

    def _wait(self, work: Work, wait: Wait | None) -> None:
        """Say what a job waits for."""
        if wait != work.wait:
            work.wait = wait
            self._changed(work.key)

    def _tick(self) -> None:
        """Look at what waits for no message: deaths without a word, lost orders."""
        clock = time.monotonic()
        if clock >= self._reap_at:
            self._reap_at = clock + REAP
            self._endings.reap(self._works.values())
        refresh = clock >= self._refresh_at and self.link.error is None
        if refresh:
            self._refresh_at = clock + REFRESH
        self._send()
        for work in list(self._works.values()):
            if self.settings.shared and work.phase is Phase.FOLLOWED:
                self._look_here(work)
            if work.phase is Phase.FOLLOWED and work.started:
                self._wait(work, None)
                self._arrivals.bring_watched(work)
            unheard = not work.subscription and not self.settings.shared
            if work.phase is Phase.FOLLOWED and unheard:
                self._advance(work)
            elif work.phase is Phase.FOLLOWED and not work.started:
                self._starts.look_after(work)
            elif refresh:
                self._arrivals.refresh(work)

    def _look_here(self, work: Work) -> None:
        """How far a job has come whose tickets are files of this machine too."""
        work.started = work.started or has_begun(work)
        if has_ended(work):
            self._leave(work)

    def _advance(self, work: Work) -> None:
        """Listen to a job that is there, if that can be now."""
        if work.phase is not Phase.FOLLOWED:
            return
        connection: Connection | None = None
        try:
            connection = self.link.connection()
            self._follow(work, connection)
        except UnreachableError as error:
            self._log(f"{work.key} waits for the connection: {error.what}")
        except XpmError as error:
            if connection is not None:
                self._endings.give_up(work, connection, error)

    def _send(self) -> None:
        """Send what waits to be sent, as far as there is room for it."""
        for work in list(self._works.values()):
            if work.phase is Phase.NEW and has_begun(work):
                # Somebody has cancelled it meanwhile.
                self._leave(work)
        works = [each for each in self._works.values() if each.phase in (Phase.NEW, Phase.SENT)]
        if not works and not self._sending.in_line:
            return
        try:
            connection = self.link.connection()
        except XpmError:
            self._let_go()
            return
        try:
            for work in [each for each in works if self._is_void(each)]:
                works.remove(work)
                self._endings.withdraw(work, connection)
            if not self._sending.send(works, connection):
                self._worker.do(self._send)
        except UnreachableError as error:
            self._log(f"{len(works)} orders wait for the connection: {error.what}")
        except XpmError as error:
            for work in works:
                self._endings.give_up(work, connection, error)

    def _astray(self, work: Work) -> None:
        """Another plan has sent it: this one asks about it where that did."""
        self._works.pop(work.launch.nonce, None)
        self._sending.forget(work.launch.nonce)
        work.wait = None
        self._elsewhere(work)

    def _is_void(self, work: Work) -> bool:
        """Whether somebody here has said that what was sent is not to run."""
        return work.phase is Phase.SENT and not self.settings.shared and is_void(work)

    def _leads_to(self, work: Work, connection: Connection) -> bool:
        """Whether the host's name still leads to where the job is: that machine, or its disk.

        Another machine can't tell what became of it, and must neither be believed nor run it.
        """
        machine = machine_of(connection)
        if machine == work.machine:
            return True
        asked = [[str(work.key), work.far_nonce or work.launch.nonce]]
        root = self._site.known(connection).workspace.root
        if connection.ask("find", root=root, jobs=asked)["found"][0] is not None:
            return True
        self._log(f"{work.key} was sent to {work.machine}, and this is {machine}")
        return False

    def _reach(self, work: Work) -> Place:
        """The place where a job is; raises UnreachableError where the name leads elsewhere now."""
        connection = self.link.connection()
        if not self._leads_to(work, connection):
            raise UnreachableError(f"{self.name} leads to another machine now")
        return self._site.known(connection)

    def _answered(self, work: Work, connection: Connection, answer: Any) -> None:
        """What the host says of an order: follow it, give it up, or ask again later."""
        if answer["state"] == "cleaning":
            return
        resolved = answer.get("resolved")
        if resolved and work.launch.resolved and resolved != work.launch.resolved:
            raise LaunchError(
                f"{self.name} has {work.key} with other defaults than this plan's",
                hint=f"clean it there: {self.name}:{self.settings.workspace}",
            )
        start = answer.get("start")
        if start is not None and start.get("void"):
            self._endings.void(work, f"cancelled on {self.name}: {start.get('why', '')}")
            return
        work.far_attempt, work.far_nonce = answer["attempt"], answer["nonce"]
        work.phase = Phase.FOLLOWED
        if self.settings.shared:
            # Its tickets are the very files of this workspace: there is nothing to mirror.
            work.started = start is not None
        else:
            self._follow(work, connection)

    def _follow(self, work: Work, connection: Connection) -> None:
        """Listen to what the job does there, if nobody else on this machine does."""
        if self.settings.shared or work.subscription is not None:
            return
        if not work.far_attempt and not self._site.find_again(work, connection):
            return
        if not self._leads_to(work, connection):
            return
        if work.lock is None:
            work.lock = tickets.take_lock(work.job, patience=0.0)
        if has_ended(work):
            self._leave(work)
        elif work.lock is not None:
            workspace = self._site.known(connection).workspace
            self._arrivals.listen(work, connection, workspace.job(work.key).xpm)
            if work.kill:
                self._endings.kill(work)

    def _leave(self, work: Work) -> None:
        """This plan has nothing more to do about it."""
        work.phase = Phase.OVER
        self._arrivals.forget(work)
        _release(work)
        self._works.pop(work.launch.nonce, None)
        self._sending.forget(work.launch.nonce)
        self._over(work)
        self._changed(work.key)


def _release(work: Work) -> None:
    if work.lock is not None:
        os.close(work.lock)
        work.lock = None
