"""What the modules of this package know of a Config: its values, its state, its schema.

The values stand in the object's own ``__dict__``, so that reading one costs nothing; what we keep
about the object stands beside them in one `State`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from xpm_engine.workspace.layout import JobKey

if TYPE_CHECKING:
    from xpm_engine.config.schema import Schema

STATE = "_xpm"
"""The key of the `State` in an object's ``__dict__``."""

BEFORE = "before"
"""What the light tasks of a task are called: in `submit`, in the identifier and in its record."""

Scalar = str | int | float | bool | None


class Phase(Enum):
    """What may be set on an object."""

    OPEN = "open"
    """In the plan, before `submit`: parameters, checked."""
    SEALED = "sealed"
    """In the plan, submitted: nothing."""
    LIVE = "live"
    """In a job, or loaded: anything but parameters."""


@dataclass(frozen=True)
class Producer:
    """The job that made an object, or that a submitted task is."""

    job: JobKey
    resolved: bytes
    """The job's resolved digest."""
    tags: Mapping[str, tuple[Scalar, ...]]
    """The tags of the job, its own and those of what it is made from."""

    @property
    def digest(self) -> bytes:
        """The job's identifier, as bytes."""
        return bytes.fromhex(self.job.identifier)


class State:
    """What we know about one object, beside its values."""

    __slots__ = (
        "before",
        "digest",
        "distinct",
        "file",
        "job",
        "line",
        "output",
        "phase",
        "producer",
        "resolved",
        "submitter",
        "tags",
    )

    def __init__(self, file: str, line: int) -> None:
        self.file = file
        """Where it was made, for messages."""
        self.line = line
        self.phase = Phase.OPEN
        self.digest: bytes | None = None
        """Remembered once sealed."""
        self.resolved: bytes | None = None
        self.tags: dict[str, Scalar] | None = None
        """Its own tags."""
        self.distinct = ""
        self.producer: Producer | None = None
        """The job whose output it is."""
        self.job: Producer | None = None
        """Of a task that was submitted: its own job."""
        self.submitter: object = None
        """Of a task that was submitted: the experiment that took it."""
        self.before: tuple[Node, ...] = ()
        """Of a task: the light tasks that run in its process first."""
        self.output: object = None
        """What `submit` returned, to return the same again; None before."""

    @property
    def where(self) -> str:
        """``file:line`` of the call that made the object."""
        return f"{self.file}:{self.line}"


class Node:
    """The base of Config that this package's other modules see."""

    _xpm: State
    _xpm_schema: ClassVar[Schema]
    _xpm_is_task: ClassVar[bool] = False
    _xpm_is_resumable: ClassVar[bool] = False

    if TYPE_CHECKING:

        def __identifier__(self) -> str: ...
        def __validate__(self) -> None: ...
        def __post_init__(self) -> None: ...


def state_of(node: Node) -> State:
    """The state of an object."""
    state: State = node.__dict__[STATE]
    return state


def schema_of(node: Node) -> Schema:
    """The schema of an object's class."""
    return type(node)._xpm_schema  # pyright: ignore[reportPrivateUsage]


def is_config_class(candidate: object) -> bool:
    """Whether it is a class of configurations."""
    return isinstance(candidate, type) and issubclass(candidate, Node)
