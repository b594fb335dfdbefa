"""Ends that do not come by themselves: jobs that are stopped, given up, or found dead."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from xpm_engine.errors import XpmError
from xpm_engine.launchers.ssh.arrivals import Arrivals
from xpm_engine.launchers.ssh.site import Site, machine_of
from xpm_engine.launchers.ssh.work import Phase, Work
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.link import Link
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind, Wait, WaitKind
from xpm_engine.workspace.records.tickets import Attempt, End, Start

ASKING = 5.0
"""Seconds for a connection to be there that a job is to be stopped by."""


class Endings:
    """Brings jobs of one host to an end; in the host's shipping thread."""

    def __init__(
        self,
        link: Link,
        site: Site,
        arrivals: Arrivals,
        *,
        shared: bool,
        leads_to: Callable[[Work, Connection], bool],
        leave: Callable[[Work], None],
        waits: Callable[[Work, Wait | None], None],
        log: Callable[[str], None],
    ) -> None:
        """`shared`: the tickets there are the files of here."""
        self._link, self._site, self._arrivals = link, site, arrivals
        self._shared, self._leads_to, self._leave, self._log = shared, leads_to, leave, log
        self._waits = waits

    def reap(self, works: Iterable[Work]) -> None:
        """Ask whether what runs there lives: who was killed outright says nothing himself."""
        asked = [
            work
            for work in works
            if work.phase is Phase.FOLLOWED and work.started and work.far_attempt
        ]
        if not asked or self._link.error is not None:
            return
        connection = self._link.connection()
        root = self._site.known(connection).workspace.root
        jobs = [[str(work.key), work.far_attempt, work.far_nonce] for work in asked]
        answers = connection.ask("reap", root=root, jobs=jobs)["reaped"]
        for work, answer in zip(asked, answers, strict=True):
            if self._shared and answer in ("ended", "died", "gone"):
                self._leave(work)
            elif answer == "gone" and work.machine == machine_of(connection):
                text = f"its folder on {self._link.name} is gone, and with it what it had done"
                self._arrivals.end(work, _died(work, Reason(ReasonKind.HOST_GONE, text)))

    def kill(self, work: Work) -> None:
        """Ask a job to stop, as soon as it can be asked."""
        if work.phase is Phase.NEW:
            self.void(work, f"cancelled by {processes.user_name()} before it started")
            return
        try:
            # It may be asked right after the plan began, which ends right after that.
            connection = self._link.settled(ASKING)
            known = work.far_attempt or self._site.find_again(work, connection)
            if known and self._leads_to(work, connection):
                root = self._site.known(connection).workspace.root
                jobs = [[str(work.key), work.far_attempt]]
                connection.ask("kill", root=root, jobs=jobs, user=processes.user_name())
                work.kill = False
        except XpmError as error:
            self._log(f"{work.key} can't be stopped now: {error.what}")

    def give_up(self, work: Work, connection: Connection, error: XpmError) -> None:
        """An order that can't be followed: it must never start there, and then it is void here."""
        self._log(f"{work.key}: {error}")
        if work.phase is Phase.NEW:
            self.void(work, str(error))
            return
        if work.started:
            return
        try:
            answer = connection.ask(
                "void",
                root=self._site.known(connection).workspace.root,
                launch=work.launch.to_json(),
                user=processes.user_name(),
                why=error.what,
            )
            if answer["state"] == "void":
                self.void(work, str(error))
        except XpmError as worse:
            # A host that can't even say so: whether the order is there can't be known.
            self._log(f"{work.key} can't be given up: {worse.what}")
            wait = Wait(work.key, WaitKind.SENT, what=worse.what, host=self._link.name)
            self._waits(work, wait)

    def withdraw(self, work: Work, connection: Connection) -> None:
        """An order was sent, or may have been, and somebody has made it void here since."""
        if not self._leads_to(work, connection):
            return
        root = self._site.known(connection).workspace.root
        user, why = processes.user_name(), f"{self._link.name} could not be asked when it was void"
        order = work.launch.to_json()
        answer = connection.ask("void", root=root, launch=order, user=user, why=why)
        if answer["state"] == "ours":
            jobs = [[str(work.key), answer["attempt"]]]
            connection.ask("kill", root=root, jobs=jobs, user=user)
        self._leave(work)

    def void(self, work: Work, why: str) -> None:
        """The order will not start anywhere: say so here."""
        attempt = Attempt(work.attempt, work.launch)
        if tickets.void(work.job, attempt, user=processes.user_name(), why=why):
            self._leave(work)


def _died(work: Work, reason: Reason) -> End:
    path = work.job.start(work.attempt)
    return End(
        nonce=tickets.new_nonce(),
        outcome=Outcome.DIED,
        at=now(),
        by=Start.from_json(read_object(path), path).by,
        reason=reason,
        resolved=work.launch.resolved,
        project=work.launch.project,
    )
