"""The border to the plan: whom `submit` hands a task to."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from xpm_engine.config.paths import PathRoots
from xpm_engine.workspace.records.reasons import ReasonKind
from xpm_engine.workspace.records.resources import Resources

if TYPE_CHECKING:
    from xpm_engine.config.order import Order
    from xpm_engine.config.task import Task


@dataclass(frozen=True, slots=True)
class SubmitOptions:
    """What `Task.submit` was told about how to run the job; none of it is in the identifier."""

    launcher: Any = None
    """A launcher, its name in xpm.toml, or None for the first that fits."""
    resources: Resources | None = None
    """What the job needs; None: as its class says, or the settings."""
    retries: int = 0
    on_drift: Any = None
    """What to do where a finished result was made with other defaults; None: as set elsewhere."""
    priority: int = 0
    """Ready jobs of a higher one start first."""
    retry_on: Iterable[ReasonKind | str] | None = None
    """The reasons to try it again for; None: those that are no fault of the task."""


class Submitter(Protocol):
    """What an experiment offers to `Task.submit`."""

    @property
    def roots(self) -> PathRoots:
        """The folders that paths are told by: the workspace, the plan's folder, the data."""
        ...

    def submit(self, task: Task[Any], order: Order, options: SubmitOptions) -> None:
        """Take a sealed task on; the same job may come several times."""
        ...

    def result(self, made: object, *, timeout: float | None = None) -> Any:
        """Wait for the job of a task, and give what its `execute` returned."""
        ...

    def result_later(self, made: object) -> Awaitable[Any]:
        """The same, for ``await``."""
        ...


current_submitter: ContextVar[Submitter | None] = ContextVar("current_submitter", default=None)
"""Set by an experiment while its plan is read."""
