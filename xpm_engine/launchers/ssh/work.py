"""One job on its way through another host."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from xpm_engine.errors import UnreadableError
from xpm_engine.remote.connection import Subscription
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.tickets import End, Launch


class Phase(Enum):
    """How far it has come."""

    NEW = "new"
    """Nothing was said about it to its host in this plan."""
    SENT = "sent"
    """Its host may have it."""
    FOLLOWED = "followed"
    """Its host has it."""
    FETCHING = "fetching"
    """It has ended there, and its result is on its way."""
    OVER = "over"


@dataclass
class Work:
    """Its local attempt, and the one that stands for it there."""

    key: JobKey
    job: JobPaths
    """The folder here."""
    launch: Launch
    """The order here; its attempt is the local number."""
    phase: Phase = Phase.NEW
    far_attempt: int = 0
    far_nonce: str = ""
    machine: str = ""
    """The machine that it was sent to; empty where it was sent to none."""
    started: bool = False
    """Whether its N.start was seen."""
    lock: int | None = None
    """The local job's lock: who holds it is the one who mirrors."""
    subscription: Subscription | None = None
    wish: str = ""
    """The host that has what it goes on with, if any."""
    tries: int = 0
    """Times that it was claimed there without a start to be seen."""
    kill: bool = False
    """Whether it is to be stopped as soon as its host can be told."""
    end: End | None = None
    wait: Wait | None = None
    """Why it has not begun."""

    @property
    def attempt(self) -> int:
        """The local number."""
        return self.launch.attempt


def has_files_on(job: JobPaths, launch: Launch) -> str:
    """The host of the last attempt of a job that goes on with its files; empty if there is none."""
    for number in range(launch.attempt - 1, 0, -1) if launch.resumable else ():
        path = job.mirror(number)
        with suppress(FileNotFoundError, UnreadableError):
            return MirrorState.from_json(read_object(path), path).of
    return ""
