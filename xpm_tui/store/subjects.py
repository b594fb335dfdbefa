"""What the tree's cursor can stand on, and so what the right side can show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from xpm_engine.workspace.layout import JobKey, is_retry


@dataclass(frozen=True, order=True)
class RunKey:
    """The name of a run: its experiment and the run's id."""

    experiment: str
    run: str

    def __str__(self) -> str:
        return f"{self.experiment}/{self.run}"


def latest_first(runs: Iterable[RunKey]) -> list[RunKey]:
    """The runs of an experiment: the one that stands for it, then the others, newest first.

    A retry never stands for its experiment: it names only what it runs again.
    """
    return sorted(sorted(runs, reverse=True), key=lambda run: is_retry(run.run))


class Grouping(Enum):
    """What the jobs of a run are grouped by; one at a time."""

    TASK = "task"
    TAG = "tag"
    STATE = "state"
    NONE = "nothing"

    @property
    def following(self) -> Grouping:
        """The one that comes next when the user asks for another."""
        members = list(Grouping)
        return members[(members.index(self) + 1) % len(members)]


@dataclass(frozen=True)
class GroupKey:
    """The name of a group inside a run."""

    by: Grouping
    path: tuple[str, ...]
    """One part a level: the task; the state; ``key=value`` for every tag from outside in, the key
    alone for jobs without it."""


class Stream(Enum):
    """One of the two logs that a task writes."""

    STDERR = "stderr"
    STDOUT = "stdout"


@dataclass(frozen=True)
class WorkspaceSubject:
    """All of it."""


@dataclass(frozen=True)
class FailedSubject:
    """What ended badly in the experiments' latest runs."""


@dataclass(frozen=True)
class AllJobsSubject:
    """Every job of the workspace, whether a run names it or not."""


@dataclass(frozen=True)
class ObsoleteSubject:
    """What could be cleaned, for a stated reason."""


@dataclass(frozen=True)
class CleanedSubject:
    """One clean, by its name: what it moved to the trash, or what is known of what is gone."""

    name: str


@dataclass(frozen=True)
class TrashSubject:
    """What was cleaned and can be brought back."""


@dataclass(frozen=True)
class ExperimentSubject:
    """An experiment, by its latest run."""

    experiment: str


@dataclass(frozen=True)
class EarlierRunsSubject:
    """The runs of an experiment before its latest one."""

    experiment: str


@dataclass(frozen=True)
class RunSubject:
    """One run of an experiment."""

    run: RunKey


@dataclass(frozen=True)
class GroupSubject:
    """Some jobs of a run that have something in common."""

    run: RunKey
    group: GroupKey


@dataclass(frozen=True)
class JobSubject:
    """A job."""

    key: JobKey
    run: RunKey | None = None
    """The run in whose light it is seen: its tags, and why it waits, belong to that run."""


@dataclass(frozen=True)
class LogSubject:
    """One log of a job."""

    key: JobKey
    run: RunKey | None
    stream: Stream


Subject: TypeAlias = (
    WorkspaceSubject
    | FailedSubject
    | AllJobsSubject
    | ObsoleteSubject
    | TrashSubject
    | CleanedSubject
    | ExperimentSubject
    | EarlierRunsSubject
    | RunSubject
    | GroupSubject
    | JobSubject
    | LogSubject
)


def in_run(subject: Subject, run: RunKey) -> Subject:
    """The same in the light of another run; what belongs to no run as it is."""
    match subject:
        case GroupSubject() | JobSubject() | LogSubject():
            return replace(subject, run=run)
        case _:
            return subject


def run_seen(subject: Subject) -> RunKey | None:
    """The run in whose light a group, a job or a log is named; None for anything else."""
    match subject:
        case GroupSubject(run) | JobSubject(_, run) | LogSubject(_, run):
            return run
        case _:
            return None


def same_but_for_run(one: Subject | None, other: Subject | None) -> bool:
    """Whether two subjects are the same thing, if only in the light of different runs."""
    if one is None or other is None:
        return one is other
    run = run_seen(other)
    return one == other or (run is not None and in_run(one, run) == other)
