"""What the store answers with: frozen, so that it can be kept, compared and drawn later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xpm_engine.workspace.cleaning.transactions import Transaction
from xpm_engine.workspace.index import JobRow
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.runs import How, PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord, RunView
from xpm_tui.store.subjects import GroupKey, RunKey

IMPORTANCE = (
    JobState.FAILED,
    JobState.DIED,
    JobState.UNREADABLE,
    JobState.CANCELLED,
    JobState.UNREACHABLE,
    JobState.RUNNING,
    JobState.CLEANING,
    JobState.QUEUED,
    JobState.READY,
    JobState.WAITING,
    JobState.BLOCKED,
    JobState.NOT_SUBMITTED,
    JobState.DONE,
)
"""Failed and live first: the order of jobs in a list, and of groups by state."""

RANK: Mapping[JobState, int] = {state: rank for rank, state in enumerate(IMPORTANCE)}

FAILURES = (JobState.FAILED, JobState.DIED)
"""What the tree counts as failed."""

WAITS = (JobState.READY, JobState.WAITING)


@dataclass(frozen=True)
class Job:
    """A job, in the light of one run."""

    key: JobKey
    state: JobState
    record: JobRecord
    """What its folder tells; of a job that has none, only the key."""
    run: RunKey | None = None
    """The run in whose light it is seen."""
    tags: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Its own and those of everything it is made from."""
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those not at their default, flattened by dotted path."""
    dependencies: tuple[JobKey, ...] = ()
    how: How | None = None
    """How the run came by it."""
    drift: tuple[str, ...] = ()
    """What changed since the result was made; empty for no drift."""
    wait: Wait | None = None
    """Why it waits, or what it is blocked by."""
    trashed: str = ""
    """The clean that moved its folder to the trash; empty if it is not there."""


@dataclass(frozen=True)
class Counts:
    """How many jobs there are in each state."""

    of: Mapping[JobState, int] = field(default_factory=dict[JobState, int])
    reused: int = 0
    """How many of those that are done were done before."""

    def sum(self, states: Iterable[JobState]) -> int:
        """How many are in any of these states."""
        return sum(self.of.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        return sum(self.of.values())

    @property
    def done(self) -> int:
        return self.of.get(JobState.DONE, 0)

    @property
    def failed(self) -> int:
        """Failed or died."""
        return self.sum(FAILURES)

    @property
    def running(self) -> int:
        return self.sum((JobState.RUNNING, JobState.UNREACHABLE))

    @property
    def waiting(self) -> int:
        """Waiting for anything that is going to come."""
        return self.sum(WAITS)

    @property
    def blocked(self) -> int:
        return self.of.get(JobState.BLOCKED, 0)


@dataclass(frozen=True)
class Experiment:
    """An experiment, by its latest run."""

    name: str
    runs: tuple[RunKey, ...]
    """Newest first; empty while its first run is being made."""
    view: RunView | None
    """The latest run, as it was read."""
    counts: Counts
    active: str
    """When something last happened in it, as records state time; empty if unknown."""

    @property
    def latest(self) -> RunKey | None:
        return self.runs[0] if self.runs else None

    @property
    def earlier(self) -> tuple[RunKey, ...]:
        return self.runs[1:]

    @property
    def plan(self) -> PlanState | None:
        """How far the latest run's plan came; None if that can't be read."""
        return None if self.view is None else self.view.plan

    @property
    def live(self) -> bool:
        """Whether a plan may still add to it, or a job of it still runs."""
        return self.plan is PlanState.RUNNING or self.counts.running > 0


@dataclass(frozen=True)
class Group:
    """Some jobs of a run that have something in common."""

    key: GroupKey
    run: RunKey
    label: str
    counts: Counts
    inner: bool = False
    """Whether it falls into smaller groups, and not into jobs at once."""


@dataclass(frozen=True)
class Delta:
    """What a look at the disk found to be new; from the reader's thread to the store."""

    jobs: Mapping[JobKey, JobRow] = field(default_factory=dict[JobKey, JobRow])
    """Read again; those whose folder is gone are `never started`."""
    runs: Mapping[RunKey, RunView] = field(default_factory=dict[RunKey, RunView])
    gone_runs: frozenset[RunKey] = frozenset()
    experiments: tuple[str, ...] | None = None
    """All names, if they were listed."""
    trash: tuple[Transaction, ...] | None = None
    problem: str | None = None
    """What the workspace as a whole suffers from; empty if it was read, None if not looked at."""
    checked: float = 1.0
    """How much of the workspace was looked at so far, 0 to 1."""
    as_of: float | None = None
    """When this was so, in seconds since 1970, where it is what was remembered."""

    def __bool__(self) -> bool:
        return bool(self.jobs) or self.beyond_jobs

    @property
    def beyond_jobs(self) -> bool:
        """Whether it tells of anything but jobs."""
        return bool(
            self.runs
            or self.gone_runs
            or self.experiments is not None
            or self.trash is not None
            or self.problem is not None
            or self.as_of is not None
        )


@dataclass(frozen=True)
class Changed:
    """What is different since the last time: what drew none of it need not be drawn again."""

    jobs: frozenset[JobKey] = frozenset()
    runs: frozenset[RunKey] = frozenset()
    """Runs that were read again, or that reference one of the jobs."""
    experiments: bool = False
    """Whether experiments or runs came or went."""
    trash: bool = False
    obsolete: bool = False
    """Whether more is known of what could be cleaned."""
    filter: bool = False
    """Whether the filter selects other jobs than before."""
    moved: bool = False
    """Whether it is only that running jobs told how far they are now."""

    @classmethod
    def together(cls, changes: Sequence[Changed]) -> Changed:
        """All that is different after these changes."""
        if len(changes) == 1:
            return changes[0]
        return cls(
            jobs=frozenset[JobKey]().union(*(changed.jobs for changed in changes)),
            runs=frozenset[RunKey]().union(*(changed.runs for changed in changes)),
            experiments=any(changed.experiments for changed in changes),
            trash=any(changed.trash for changed in changes),
            obsolete=any(changed.obsolete for changed in changes),
            filter=any(changed.filter for changed in changes),
            moved=all(changed.moved for changed in changes if changed),
        )

    def __bool__(self) -> bool:
        return bool(
            self.jobs or self.runs or self.experiments or self.trash or self.obsolete or self.filter
        )
