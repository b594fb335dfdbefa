"""The tickets of one transaction: each is one file, which is linked into every job.

A cleaner's ticket names no job but the transaction, so that one file can serve them all: to make
ten thousand new files takes seconds on a disk, ten thousand more names for one file a fraction of
one. And that one can be waited for until the disk has it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import dumps, publish_link, write_atomic
from xpm_engine.workspace.layout import JobKey, JobPaths, TrashPaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import End, Launch, LaunchedBy, Start
from xpm_engine.workspace.records.trash import Removal

WHY = "a clean left it, or was undone"
"""What the void attempts that a cleaner leaves say of themselves."""


@dataclass(frozen=True)
class Cleaner:
    """This process, at work on one transaction; every method raises StorageError."""

    trash: TrashPaths
    nonce: str
    """Of the transaction's launch tickets."""
    me: ProcessIdentity = field(default_factory=processes.own_identity)
    user: str = field(default_factory=processes.user_name)
    at: str = field(default_factory=now)

    def write_launch(self) -> None:
        """Make the ticket that `claim` uses."""
        launch = Launch(
            nonce=self.nonce,
            key=JobKey("clean", self.nonce),
            attempt=0,
            by=LaunchedBy.CLEAN,
            at=self.at,
            driver=self.me,
        )
        write_atomic(self.trash.ticket("launch"), dumps(launch.to_json()), durable=True)

    def claim(self, job: JobPaths, number: int) -> bool:
        """Try to own attempt N of a job, so that nobody can start it; True if this one won."""
        return publish_link(self.trash.ticket("launch"), job.launch(number))

    def write_void(self) -> None:
        """Make the tickets that `void` and `release` use, unless they are there.

        A clean makes them before it touches anything, so that an undo, and giving up, need no room
        on the disk for new files.
        """
        if os.path.lexists(self.trash.ticket("end")):
            return
        start = Start(tickets.new_nonce(), self.nonce, self.me, self.at, self.user, True, WHY)
        end = End(tickets.new_nonce(), Outcome.VOID, self.at, self.me)
        write_atomic(self.trash.ticket("start"), dumps(start.to_json()), durable=True)
        write_atomic(self.trash.ticket("end"), dumps(end.to_json()), durable=True)

    def void(self, job: JobPaths, number: int) -> None:
        """Give up attempt N, which is ours: the job is as it was before."""
        publish_link(self.trash.ticket("start"), job.start(number))
        publish_link(self.trash.ticket("end"), job.end(number))

    def release(self, job: JobPaths, removal: Removal) -> bool:
        """Void the attempt of a removal if it stands in its place, not void yet; whether it did."""
        return self._release(job, removal.attempt)

    def release_newest(self, job: JobPaths) -> bool:
        """Void the newest attempt of a job if it is ours and not void yet; whether it was."""
        try:
            newest = max(tickets.ticket_names(job), default=0)
        except FileNotFoundError:
            return False
        return bool(newest) and self._release(job, newest)

    def _release(self, job: JobPaths, number: int) -> bool:
        try:
            attempt = tickets.read_attempt(job, number, {"launch"})
        except (FileNotFoundError, UnreadableError):
            return False
        if attempt.launch.nonce != self.nonce or os.path.lexists(job.end(number)):
            return False
        self.void(job, number)
        return True
