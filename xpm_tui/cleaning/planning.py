"""From what a key was pressed on to a plan of removal; no Textual in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xpm_engine.collecting import not_collecting
from xpm_engine.verbs.cleaning.obsolete import Offer, Surveyed, survey_known
from xpm_engine.verbs.cleaning.offering import Wanted, offer
from xpm_engine.workspace.index import JobRow, Records
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.scan import RunView
from xpm_tui.cleaning.removal import Removal, Sizes, removal_of
from xpm_tui.store import RunKey


@dataclass(frozen=True)
class PlanOrder:
    """What a plan is to be about."""

    workspace: WorkspacePaths
    jobs: Mapping[JobKey, JobRow]
    """All there are, as they were read."""
    views: tuple[RunView, ...]
    """All runs, likewise."""
    keys: tuple[JobKey, ...] | None = None
    """Jobs that somebody chose; None for all that is obsolete."""
    runs: tuple[RunKey, ...] = ()
    """Runs that are rows too."""
    runs_chosen: bool = False
    """Whether the runs are what is meant, so that they are ticked and their jobs follow."""
    seen: Surveyed | None = None
    """A survey of just this, where there is one."""
    sizes: Sizes = field(default_factory=dict[Offer, int])
    """What was measured before."""

    @property
    def wanted(self) -> Wanted:
        """The same, for the engine."""
        runs = tuple((run.experiment, run.run) for run in self.runs)
        return Wanted(self.keys, runs, self.runs_chosen)

    @property
    def title(self) -> str:
        """What stands above the plan."""
        what = "Clean what is obsolete" if self.keys is None and not self.runs else "Clean"
        return f"{what}: nothing moves before you press X"


def plan_order(order: PlanOrder) -> Removal:
    """Make the plan; reads the disk, so it is for a thread. Raises XpmError."""
    with not_collecting():
        seen = order.seen
        if seen is None:
            seen = survey_known(order.workspace, Records(order.jobs), order.views)
        return removal_of(offer(order.workspace, seen, order.wanted), order.sizes)
