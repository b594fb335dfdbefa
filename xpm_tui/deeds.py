"""What the app has the engine's verbs do, wherever the workspace is; no Textual in it.

All of it waits for a disk or for another machine, so it is for threads, and raises XpmError.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from xpm_engine.verbs import kill
from xpm_engine.verbs.cleaning import clean
from xpm_engine.verbs.cleaning.clean import Transaction
from xpm_engine.verbs.cleaning.obsolete import Offer, plan_clean
from xpm_engine.verbs.cleaning.pins import pinned_jobs
from xpm_engine.verbs.cleaning.trash_facts import (
    CleanedFacts,
    TrashFacts,
    cleaned_facts,
    trash_facts,
)
from xpm_engine.verbs.kill import LivePlan
from xpm_engine.verbs.retry import RetryPlan, plan_retry
from xpm_engine.verbs.retry_outline import RetryOutline
from xpm_engine.verbs.why import Why, why
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.settings import load_settings
from xpm_tui.changes import Change, Pinned, set_pins, take_back
from xpm_tui.cleaning import removal
from xpm_tui.cleaning.planning import PlanOrder, plan_order
from xpm_tui.cleaning.removal import Removal


class Deeds(Protocol):
    """Carries out what the user orders: here, or on another machine (`far.deeds`)."""

    def live_plans(self, keys: Sequence[JobKey]) -> tuple[LivePlan, ...]:
        """The plans that go on, and start the next jobs behind these."""
        ...

    def stop_plan(self, plan: LivePlan) -> bool:
        """Have a plan start nothing more; False if it can't be reached."""
        ...

    def kill(self, keys: Sequence[JobKey]) -> list[str]:
        """Kill these jobs; what came of each, in words."""
        ...

    def pin(self, keys: Sequence[JobKey]) -> Pinned:
        """Pin these jobs; where all of them are pinned, take the pins away."""
        ...

    def plan(self, order: PlanOrder) -> tuple[Removal, int]:
        """Make a plan of removal; and the days that a clean stays in the trash."""
        ...

    def measure(
        self,
        found: Removal,
        tell: Callable[[Removal], object],
        *,
        stopped: Callable[[], bool],
    ) -> None:
        """Measure what has no size yet, and tell how far that is."""
        ...

    def move(self, found: Removal, ticked: frozenset[Offer]) -> Transaction:
        """Move what is ticked to the trash, each row verified again just before."""
        ...

    def take_back(self, change: Change) -> str:
        """Undo a change; what was done, in words."""
        ...

    def plan_retry(self, keys: Sequence[JobKey], *, assume_dead: bool = False) -> RetryOutline:
        """What running these jobs again means."""
        ...

    def start_retry(self, plan: RetryOutline) -> tuple[str, ...]:
        """Carry out what was planned; the runs that were begun."""
        ...

    def purge(self, name: str) -> None:
        """Delete a clean for good."""
        ...

    def why(self, key: JobKey) -> Why:
        """Why a job ran."""
        ...

    def trash_facts(self) -> TrashFacts:
        """What was deleted for good, and when the rest will be."""
        ...

    def cleaned(self, name: str) -> CleanedFacts:
        """What a clean holds."""
        ...

    def survey(self, order: PlanOrder) -> tuple[Removal, int]:
        """What is obsolete; and how many cleans were deleted for good."""
        ...

    def holds(self, found: Removal) -> bool:
        """Whether a plan can still be carried out, and need not be made again."""
        ...


class HereDeeds:
    """On this machine, by the engine's verbs."""

    def __init__(self, workspace: WorkspacePaths) -> None:
        self._workspace = workspace

    def live_plans(self, keys: Sequence[JobKey]) -> tuple[LivePlan, ...]:
        return kill.live_plans(self._workspace, frozenset(keys))

    def stop_plan(self, plan: LivePlan) -> bool:
        return kill.stop_plan(self._workspace, plan)

    def kill(self, keys: Sequence[JobKey]) -> list[str]:
        return [kill.kill_words(self._workspace, key) for key in keys]

    def pin(self, keys: Sequence[JobKey]) -> Pinned:
        on = len(pinned_jobs(self._workspace, keys)) < len(keys)
        return set_pins(self._workspace, tuple(keys), on=on)

    def plan(self, order: PlanOrder) -> tuple[Removal, int]:
        return plan_order(order), load_settings(self._workspace).retention.trash_days

    def measure(
        self,
        found: Removal,
        tell: Callable[[Removal], object],
        *,
        stopped: Callable[[], bool],
    ) -> None:
        removal.measure(self._workspace, found, tell, stopped=stopped)

    def move(self, found: Removal, ticked: frozenset[Offer]) -> Transaction:
        order = [row.offer for row in found.rows if row.offer in ticked]
        plan = plan_clean(self._workspace, found.offering.seen, order, sizes=found.sizes)
        return clean.carry_out(self._workspace, plan)

    def take_back(self, change: Change) -> str:
        return take_back(self._workspace, change)

    def plan_retry(self, keys: Sequence[JobKey], *, assume_dead: bool = False) -> RetryOutline:
        return plan_retry(self._workspace, keys, assume_dead=assume_dead)

    def start_retry(self, plan: RetryOutline) -> tuple[str, ...]:
        from xpm_engine.verbs.starting import start_retry

        assert isinstance(plan, RetryPlan)
        return tuple(started.run for started in start_retry(plan))

    def purge(self, name: str) -> None:
        clean.purge(self._workspace, name)

    def why(self, key: JobKey) -> Why:
        return why(self._workspace, key)

    def trash_facts(self) -> TrashFacts:
        return trash_facts(self._workspace)

    def cleaned(self, name: str) -> CleanedFacts:
        return cleaned_facts(self._workspace, name)

    def survey(self, order: PlanOrder) -> tuple[Removal, int]:
        return plan_order(order), clean.count_purged(self._workspace)

    def holds(self, found: Removal) -> bool:
        return True
