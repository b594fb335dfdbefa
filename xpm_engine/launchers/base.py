"""The contract of a launcher: how a claimed attempt gets a process, somewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.tickets import Attempt


@dataclass(frozen=True)
class LaunchOrder:
    """A claimed attempt that is to be started."""

    key: JobKey
    job: JobPaths
    attempt: int
    nonce: str
    """The nonce of its N.launch: how it is found again."""
    log: str
    """The file that our own processes report to, should they fail."""


@dataclass(frozen=True)
class Handle:
    """What a launcher knows of a job that it was told to start."""

    launcher: str
    process: ProcessIdentity | None
    """The supervisor, where it is a process of this machine."""
    data: Mapping[str, Any]
    """Plain JSON of the launcher's own: information only, it never decides."""


class Sight(Enum):
    """What a launcher can say of an order that has no N.start yet."""

    COMING = "coming"
    """It has it, and will start it."""
    GONE = "gone"
    """It does not have it, and never will start it: the attempt can be made void."""
    UNKNOWN = "unknown"
    """It can't say: nothing may be concluded."""


@dataclass(frozen=True)
class Capacity:
    """What a launcher can run at a time."""

    cores: int
    memory: int | None = None
    """Bytes; None: it is not counted here."""
    devices: tuple[str, ...] = ()
    """Its GPUs, as CUDA_VISIBLE_DEVICES names them."""
    here: bool = False
    """Whether its jobs run on this machine, whose pool all plans of the user share."""
    members: tuple[Capacity, ...] = ()
    """What each of several machines has, where that is so: a job must fit into one of them."""


@dataclass(frozen=True)
class Coming:
    """How far the rest of a result has come that was on another host alone."""

    words: str = ""
    """How far it is, or what keeps it there; empty: all of it is here."""
    over: bool = True
    """Whether that is the last word: it is here, or it never will be."""


class Launcher(Protocol):
    """Starts jobs; every call returns soon, whatever the machine behind it does."""

    @property
    def name(self) -> str:
        """What `xpm.toml` and the tickets call it."""
        ...

    def capacity(self) -> Capacity:
        """What it can run at a time."""
        ...

    def submit(self, orders: Sequence[LaunchOrder]) -> list[Handle]:
        """Start these attempts; a handle each, in order. Raises LaunchError."""
        ...

    def knows(self, name: str) -> bool:
        """Whether `find` can tell of the orders that a launcher of that name was given."""
        ...

    def find(self, orders: Sequence[LaunchOrder]) -> dict[str, Sight]:
        """Nonce -> what became of orders that earlier plans, dead by now, gave this launcher."""
        ...

    def follow(self, job: JobPaths, attempt: Attempt) -> bool:
        """See to an attempt that runs elsewhere and is mirrored here; whether this launcher can."""
        ...

    def cancel(self, handles: Sequence[Handle]) -> None:
        """Ask those to stop that are no processes of this machine; never waits for their ends."""
        ...

    def listen(self, heard: Callable[[JobKey], None]) -> None:
        """Call `heard`, in any thread, when the tickets of a job were changed by this launcher."""
        ...

    def why_waits(self, key: JobKey) -> Wait | None:
        """Why a job that it was given has not begun, where it knows."""
        ...

    def reads(self, host: str) -> bool:
        """Whether its jobs find a result that is on that host alone, without its coming here."""
        ...

    def fetch(self, job: JobPaths, host: str, told: Callable[[Coming], None]) -> None:
        """Bring the rest of a finished result of `host`; `told` hears of it, in any thread."""
        ...

    def bring(self, key: JobKey, patterns: Sequence[str]) -> None:
        """Bring those files of a job that runs elsewhere as they appear: the plan watches them."""
        ...

    def forget(self, handle: Handle) -> None:
        """Let go of an order whose process has ended."""
        ...

    def close(self) -> None:
        """Let go of everything; what was started goes on."""
        ...


def missing_methods(value: object) -> list[str]:
    """What an object lacks to be a launcher."""
    names = [name for name in vars(Launcher) if not name.startswith("_")]
    return [name for name in names if not hasattr(value, name)]
