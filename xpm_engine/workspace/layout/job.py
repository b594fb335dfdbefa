"""The files of one job."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Optional

from xpm_engine.workspace.layout.names import JobKey

XPM = ".xpm"
"""The folder, in a job's and at the workspace's top, that holds what we write ourselves."""

PACKED = ".gz"
"""What the name of a packed log ends in."""

TICKET_KINDS = frozenset(("launch", "start", "end"))
_NUMBER = re.compile(r"[1-9][0-9]{0,5}\Z")


@dataclass(frozen=True)
class JobPaths:
    """The files of one job."""

    root: str
    """``workspace/jobs/TASK-ID/IDENTIFIER``: the job's working directory."""

    @property
    def xpm(self) -> str:
        return self.root + "/" + XPM

    def ticket(self, attempt: int, kind: str) -> str:
        """The path of ``N.launch``, ``N.start`` or ``N.end``."""
        return f"{self.root}/{XPM}/{attempt}.{kind}"

    def launch(self, attempt: int) -> str:
        return self.ticket(attempt, "launch")

    def start(self, attempt: int) -> str:
        return self.ticket(attempt, "start")

    def end(self, attempt: int) -> str:
        return self.ticket(attempt, "end")

    def handle(self, attempt: int) -> str:
        """What the launcher said of attempt N: information only."""
        return f"{self.root}/{XPM}/{attempt}.handle"

    def mirror(self, attempt: int) -> str:
        """Which job of another host attempt N is a copy of, and how far it was copied."""
        return f"{self.root}/{XPM}/{attempt}.mirror"

    @property
    def fetched(self) -> str:
        """What of a result on another host was brought here."""
        return self.root + "/" + XPM + "/fetched.json"

    @property
    def summary(self) -> str:
        return self.root + "/" + XPM + "/job.json"

    @property
    def params(self) -> str:
        return self.root + "/" + XPM + "/params.json"

    @property
    def result(self) -> str:
        """What the task returned to its plan."""
        return self.root + "/" + XPM + "/result.json"

    @property
    def progress(self) -> str:
        return self.root + "/" + XPM + "/progress.json"

    @property
    def events(self) -> str:
        return self.root + "/" + XPM + "/events.jsonl"

    @property
    def metrics(self) -> str:
        return self.root + "/" + XPM + "/metrics.jsonl"

    @property
    def lock(self) -> str:
        return self.root + "/" + XPM + "/lock"

    @property
    def alive(self) -> str:
        """Touched by the supervisor every 30 s: a hint for other hosts."""
        return self.root + "/" + XPM + "/alive"

    @property
    def alias(self) -> str:
        return self.root + "/" + XPM + "/alias.json"

    @property
    def baseline(self) -> str:
        """What the job's result is compared with when defaults changed: a decision of people."""
        return self.root + "/" + XPM + "/baseline.json"

    @property
    def pin(self) -> str:
        return self.root + "/" + XPM + "/pin.json"

    @property
    def logs(self) -> str:
        return self.root + "/" + XPM + "/logs"

    def stdout(self, attempt: int) -> str:
        return f"{self.root}/{XPM}/logs/{attempt}.out"

    def log(self, name: str) -> str:
        """``1.out``, ``2.err``"""
        return f"{self.root}/{XPM}/logs/{name}"

    def stderr(self, attempt: int) -> str:
        return f"{self.root}/{XPM}/logs/{attempt}.err"

    @property
    def stdout_link(self) -> str:
        return self.root + "/stdout.log"

    @property
    def stderr_link(self) -> str:
        return self.root + "/stderr.log"

    @property
    def log_links(self) -> "tuple[str, str]":
        """The links to the logs of the last attempt, for people."""
        return self.stdout_link, self.stderr_link

    def log_link(self, name: str) -> Optional[str]:
        """The link that leads to a log called ``N.out`` or ``N.err``; None for another name."""
        stem, _, kind = name.partition(".")
        if not _NUMBER.match(stem):
            return None
        return {"out": self.stdout_link, "err": self.stderr_link}.get(kind)

    @property
    def attempts(self) -> str:
        return self.root + "/" + XPM + "/attempts"

    def leftovers(self, attempt: int) -> str:
        """Where the files of an earlier attempt are kept."""
        return f"{self.root}/{XPM}/attempts/{attempt}"


def key_of_job(job_root: str) -> JobKey:
    """The name of the job in this folder."""
    parent, identifier = os.path.split(job_root)
    return JobKey(os.path.basename(parent), identifier)


def attempts_in(names: "list[str]") -> "dict[int, set[str]]":
    """Attempt -> which of launch, start, end it has, from the names in a job's ``.xpm/``."""
    found: "dict[int, set[str]]" = {}
    for name in names:
        number, _, kind = name.partition(".")
        if kind in TICKET_KINDS and _NUMBER.match(number):
            found.setdefault(int(number), set()).add(kind)
    return found


def link_to_log(name: str) -> str:
    """Where the link to a log points, from the job's folder."""
    return f"{XPM}/logs/{name}"
