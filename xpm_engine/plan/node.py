"""A job as its plan sees it: what it waits for, who waits for it, how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.launchers.base import Handle
from xpm_engine.plan.drift import Drift
from xpm_engine.plan.orders import JobOrder
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.reasons import Reason, Wait
from xpm_engine.workspace.records.resources import Demand, Resources
from xpm_engine.workspace.records.runs import How
from xpm_engine.workspace.settings import DEFAULT_RESOURCES

if TYPE_CHECKING:
    from xpm_engine.plan.lane import Lane


class Stage(Enum):
    """How far a job is, for its plan."""

    WAITING = "waiting"
    """Some job it depends on has not ended."""
    READY = "ready"
    """It waits for its turn."""
    BRINGING = "bringing"
    """What it is made from is done, and on its way from another host."""
    LAUNCHED = "launched"
    """Claimed by this plan and told to the launcher."""
    FOLLOWED = "followed"
    """Somebody else has claimed it: another plan, an earlier run, or a cleaner."""
    RETRYING = "retrying"
    """It ended badly, and its next attempt waits for its time."""
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    DRIFTED = "drifted"
    """Its result was made with other defaults, and nobody has said what to do about that."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it in this plan."""
        return self in _OVER


NOT_STARTED = frozenset((Stage.WAITING, Stage.READY, Stage.BRINGING, Stage.RETRYING))
"""Those that would be launched later."""

_OVER = frozenset((Stage.DONE, Stage.FAILED, Stage.BLOCKED, Stage.DRIFTED))


@dataclass(eq=False, slots=True)
class Node:
    """One job of a plan; only the scheduler's thread changes it."""

    order: JobOrder
    options: SubmitOptions
    paths: JobPaths
    lane: Lane
    """The launcher that it is for; who runs it already may be another one."""
    demand: Demand = field(init=False)
    """What it needs, as the pool counts it."""
    tags: dict[str, Any] = field(init=False)
    """Of all its submissions: the same job may come under several."""
    stage: Stage = Stage.WAITING
    how: How = How.NEW
    attempt: int = 0
    """The attempt that is launched or followed."""
    nonce: str = ""
    """Of the launch that is launched or followed."""
    handle: Handle | None = None
    failed_launches: int = 0
    redone: int = 0
    """How often it found that what it is made from is gone."""
    retries: int = 0
    """How often this run has tried it again."""
    until: str = ""
    """When its next attempt is due."""
    drift: Drift | None = None
    executed: str = ""
    """The resolved digest that its result was, is being, or will be made with."""
    adopted: JobKey | None = None
    """The job under a former name whose result this one has."""
    reason: Reason | None = None
    """Why it failed."""
    waits_for: set[JobKey] | None = None
    """The jobs it depends on that are not done; None for none: most of very many have none."""
    dependants: list[Node] | None = None
    shares_with: Node | None = None
    """The job before it in a folder that both share; None where none is."""
    sharers: list[Node] | None = None
    """The jobs that wait for this one to leave a folder that they share."""
    wait: Wait | None = None
    """Why it has not begun, of one that is launched: its launcher says so."""
    blamed: tuple[JobKey, ...] = ()
    """Why it is blocked: the failed job last, what leads to it first."""
    behind_drift: bool = False
    """Whether that job is drifted, and did not fail."""

    def __post_init__(self) -> None:
        self.tags = dict(self.order.tags)
        self.demand = _demand(self.resources)

    @property
    def resources(self) -> Resources:
        """What it needs while it runs."""
        return self.options.resources or DEFAULT_RESOURCES

    @property
    def key(self) -> JobKey:
        return self.order.key


@cache
def _demand(resources: Resources) -> Demand:
    """Alike jobs share one object: thousands of them are looked up by it."""
    return resources.demand()
