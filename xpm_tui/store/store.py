"""The app's model of a workspace: it takes what the reader found, and answers the screens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING

from xpm_engine.workspace.cleaning.transactions import Transaction
from xpm_engine.workspace.index import ended_since
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_tui.facts.folder import Listing, list_job
from xpm_tui.store.columns import KeptColumns
from xpm_tui.store.found import Found
from xpm_tui.store.labels import Labelling, last_part
from xpm_tui.store.model import (
    FAILURES,
    Changed,
    Counts,
    Delta,
    Experiment,
    Group,
    Job,
)
from xpm_tui.store.rows import CODE_OF, STATES, JobList, by_code
from xpm_tui.store.run_index import MOST_KEPT
from xpm_tui.store.selected import Selected
from xpm_tui.store.shared_jobs import SharedJobs
from xpm_tui.store.subjects import (
    AllJobsSubject,
    ExperimentSubject,
    FailedSubject,
    Grouping,
    GroupKey,
    GroupSubject,
    JobSubject,
    LogSubject,
    RunKey,
    RunSubject,
    Subject,
)

if TYPE_CHECKING:
    from xpm_tui.cleaning.removal import Removal

FEW = 500
"""Jobs that are asked one by one, rather than all jobs at once."""


class Store(Found):
    """What is known of a workspace; all of its answers are frozen.

    One thread uses it, the one that draws.
    """

    def __init__(
        self,
        workspace: WorkspacePaths,
        *,
        place: str = "",
        root: str = "",
        list_job: Callable[[str], Listing] = list_job,
    ) -> None:
        """`place`, `root` and `list_job` are given where the workspace is on another machine."""
        super().__init__(workspace)
        self.place = place
        """Where it is, for the first row; empty: this machine and the path."""
        self._root = root
        self.list_job = list_job
        """How the folder of a job is listed; it may wait for another machine."""
        self.trash: tuple[Transaction, ...] = ()
        self.obsolete: Removal | None = None
        """What could be cleaned, as far as that is known; None until it was looked for."""
        self.purged = 0
        """How many cleans were deleted for good and left a record."""
        self.kept = KeptColumns(self)
        """All jobs as columns."""
        self._loose: dict[JobKey, Job] = {}
        self._experiments: tuple[Experiment, ...] | None = None
        self._all: tuple[JobKey, ...] | None = None
        self._failed: tuple[JobKey, ...] | None = None
        self._left: dict[str, tuple[JobKey, ...]] = {}
        self._ended: tuple[str, list[JobKey]] | None = None
        self._in_trash: dict[tuple[JobKey, RunKey | None], Job] = {}
        self._wanted: Selected | None = None
        self._wanted_of: dict[Subject, tuple[JobKey, ...]] = {}
        self._counts_of: dict[Subject, Counts] = {}
        self._ahead: set[RunKey] = set()
        """Of which runs it was worked out, before it was asked, who is made from whom."""
        self._shared = SharedJobs()

    @property
    def shown(self) -> WorkspacePaths:
        """The workspace by the name that it has for people."""
        return WorkspacePaths(self.told(self.workspace.root))

    def told(self, path: str) -> str:
        """The name that a file of the workspace has for people: where it really is."""
        return self._root + path[len(self.workspace.root) :] if self._root else path

    def apply(self, delta: Delta) -> Changed:
        """Take what was found, and say what is different now."""
        before = self._trashed
        if delta.trash is not None:
            self.trash = delta.trash
            self._trashed = {
                gone.key: clean.name for clean in reversed(self.trash) for gone in clean.removals
            }
        if delta:
            self._in_trash.clear()
        changed = super().apply(delta)
        if self._trashed is not before:
            # That their folder is gone may have been told before that it lies in the trash.
            differing = dict(before.items() ^ self._trashed.items()).keys() - self._rows.keys()
            changed = replace(changed, jobs=changed.jobs | differing)
        if changed.moved:
            # No set of jobs and no count is another.
            for key in self._loose.keys() & changed.jobs:
                del self._loose[key]
            self.kept.note(replace(changed, runs=frozenset()))
            return changed
        if changed.runs:
            self._loose.clear()
        for key in self._loose.keys() & changed.jobs:
            del self._loose[key]
        if changed.experiments or changed.runs:
            self._experiments = None
        if changed.jobs or changed.runs:
            self._wanted_of.clear()
            self._counts_of.clear()
            self._all = self._failed = self._ended = None
            self._left.clear()
            self.kept.note(changed)
        return changed

    # The filter

    @property
    def wanted(self) -> Selected | None:
        """The jobs that every answer about a set of jobs is narrowed to; None for no filter."""
        return self._wanted

    def narrow(self, wanted: Selected | None) -> None:
        """Narrow groups, counts and lists to these jobs; totals and records stay those of all."""
        self._wanted = wanted
        self._wanted_of.clear()
        self._counts_of.clear()

    # Experiments and runs

    @property
    def empty(self) -> bool:
        """Whether nothing has run here yet, as far as was looked."""
        return not (self._names or self._rows or self.trash)

    def experiments(self) -> tuple[Experiment, ...]:
        """All of them: those that run first, then by their last activity."""
        if self._experiments is None:
            found = [self._experiment(name) for name in self._names]
            found.sort(key=lambda experiment: experiment.name)
            found.sort(key=lambda experiment: experiment.active, reverse=True)
            found.sort(key=lambda experiment: not experiment.live)
            self._experiments = tuple(found)
        return self._experiments

    def experiment(self, name: str) -> Experiment | None:
        """One experiment; None if there is none of this name any more."""
        return next((found for found in self.experiments() if found.name == name), None)

    def _experiment(self, name: str) -> Experiment:
        runs = self._runs.get(name, ())
        if not runs:
            return Experiment(name, (), None, Counts(), "")
        view = self._views[runs[0]]
        index = self.index(runs[0])
        counts = Counts() if index is None else index.counts
        records = [each.record for each in (view, *self.later_runs(name)) if each.record]
        active = max((record.ended or record.started for record in records), default="")
        if index is not None and not view.live:
            active = max(active, index.last_ended)
        return Experiment(name, runs, view, counts, active)

    def groups(self, run: RunKey, by: Grouping, path: tuple[str, ...] = ()) -> tuple[Group, ...]:
        """The groups right inside a group of a run; none where jobs come next."""
        index = self.index(run)
        found = () if index is None else index.groups(by, path)
        if self._wanted is None:
            return found
        counts = [self.counts(GroupSubject(run, group.key)) for group in found]
        pairs = zip(found, counts, strict=True)
        return tuple(replace(group, counts=count) for group, count in pairs if count.total)

    def prepare(self) -> bool:
        """Work out one thing that a key may ask for, of what experiments stand on; False if there
        is none left."""
        for experiment in self.experiments():
            index = None if experiment.latest is None else self.index(experiment.latest)
            if index is None or experiment.latest is None:
                continue
            if experiment.latest not in self._ahead:
                self._ahead.add(experiment.latest)
                self._dependants[experiment.latest] = index.dependants()
                return True
            if index.prepare():
                return True
        if self._known is None:
            self.known()
            return True
        if self._codes is None:
            self._all_codes()
            return True
        return False

    # Jobs

    def job(self, key: JobKey, run: RunKey | None = None) -> Job:
        """A job in the light of a run; of none if that run does not name it."""
        found = self._seen(key, run)
        if found.state is not JobState.NOT_SUBMITTED or key not in self._trashed:
            return found
        known = self._in_trash.get((key, run))
        if known is None:
            known = replace(found, trashed=self._trashed[key])
            self._in_trash[key, run] = known
        return known

    def _seen(self, key: JobKey, run: RunKey | None) -> Job:
        index = None if run is None else self.index(run)
        if index is not None and key in index.references:
            return index.job(key)
        found = self._loose.get(key)
        if found is None:
            record = self.record(key)
            if len(self._loose) >= MOST_KEPT:
                self._loose.clear()
            found = self._loose[key] = Job(
                key=key,
                state=record.state,
                record=record,
                tags=record.tags,
                params=record.params,
                dependencies=record.dependencies,
            )
        return found

    def ended_since(self, moment: str) -> list[Job]:
        """The jobs that ended at this time or later, as records state time."""
        if self._ended is None or self._ended[0] != moment:
            self._ended = (moment, ended_since(self._rows, moment))
        return [self.job(key, self.home_of(key)) for key in self._ended[1]]

    # Sets of jobs

    def run_of(self, subject: Subject) -> RunKey | None:
        """The run in whose light a subject's jobs are seen; None if each has its own."""
        match subject:
            case ExperimentSubject(name):
                runs = self._runs.get(name, ())
                return runs[0] if runs else None
            case RunSubject(run) | GroupSubject(run, _):
                return run
            case JobSubject(key, run) | LogSubject(key, run, _):
                return run or self.home_of(key)
            case _:
                return None

    def keys(self, subject: Subject) -> Sequence[JobKey]:
        """The jobs that a subject stands for, failed and live first; one for a job.

        A set of jobs is narrowed by the filter.
        """
        if isinstance(subject, (JobSubject, LogSubject)):
            return (subject.key,)
        wanted = self._wanted
        if wanted is None:
            return self._listing(subject)
        found = self._wanted_of.get(subject)
        if found is None:
            found = self._wanted_of[subject] = self._listing_of_wanted(subject, wanted)
        return found

    def _listing_of_wanted(self, subject: Subject, wanted: Selected) -> tuple[JobKey, ...]:
        if not wanted:
            return ()
        if isinstance(subject, AllJobsSubject):
            mask = wanted.mask_of(self.known())
            chosen = bytes(compress(self._known_codes(), mask))
            return by_code(list(compress(self.known(), mask)), chosen)
        listing = self._listing(subject)
        return tuple(compress(listing, wanted.mask_of(listing)))

    def _listing(self, subject: Subject) -> Sequence[JobKey]:
        match subject:
            case AllJobsSubject():
                return self._all_keys()
            case FailedSubject():
                return self._failed_keys()
            case GroupSubject(run, group):
                index = self.index(run)
                return () if index is None else index.listing(group)
            case _:
                whole = self.run_of(subject)
                index = None if whole is None else self.index(whole)
                return () if index is None else index.listing(GroupKey(Grouping.NONE, ()))

    def size(self, subject: Subject) -> int:
        """How many jobs a subject stands for; quicker than listing them."""
        match subject:
            case AllJobsSubject():
                return self.known_count if self._wanted is None else len(self._wanted)
            case FailedSubject() | JobSubject() | LogSubject():
                return len(self.keys(subject))
            case _:
                return self.counts(subject).total

    def jobs(self, subject: Subject) -> JobList:
        """The jobs that a subject stands for, failed and live first."""
        run = self.run_of(subject)

        def job_of(key: JobKey) -> Job:
            return self.job(key, run or self.home_of(key))

        return JobList(
            self.keys(subject),
            job_of,
            partial(self._codes_of, run=run),
            partial(self.kept.ranks, run=run, job_of=job_of),
        )

    def _codes_of(self, keys: Sequence[JobKey], run: RunKey | None) -> bytes:
        """The states of these jobs, in the light of a run or each of its newest one."""
        if run is None and keys is self._all:
            # These stand in the order of their states.
            known = self._known_codes()
            return b"".join(bytes((code,)) * known.count(code) for code in range(len(STATES)))
        index = None if run is None else self.index(run)
        if index is not None and all(map(index.references.__contains__, keys)):
            return index.codes_of(keys)
        if index is None and (
            self._codes is not None or len(keys) > max(FEW, self.known_count // 10)
        ):
            return bytes(map(self._all_codes().__getitem__, keys))
        return bytes([CODE_OF[self.state(key, run or self.home_of(key))] for key in keys])

    def counts(self, subject: Subject) -> Counts:
        """How many jobs of a subject are in each state."""
        if self._wanted is None:
            return self._counts_of_all(subject)
        found = self._counts_of.get(subject)
        if found is None:
            found = self._counts_of[subject] = self._counts_of_wanted(subject, self._wanted)
        return found

    def _counts_of_all(self, subject: Subject) -> Counts:
        run = self.run_of(subject)
        index = None if run is None else self.index(run)
        match subject:
            case GroupSubject(_, group) if index is not None:
                return index.counts_of(group)
            case ExperimentSubject() | RunSubject() if index is not None:
                return index.counts
            case AllJobsSubject():
                return _counts(self._all_codes().values())
            case _:
                return self._counts_one_by_one(subject)

    def _counts_of_wanted(self, subject: Subject, wanted: Selected) -> Counts:
        run = self.run_of(subject)
        index = None if run is None else self.index(run)
        match subject:
            case GroupSubject(_, group) if index is not None:
                return index.counts_within(group, wanted)
            case ExperimentSubject() | RunSubject() if index is not None:
                return index.counts_within(GroupKey(Grouping.NONE, ()), wanted)
            case AllJobsSubject():
                return _counts(compress(self._known_codes(), wanted.mask_of(self.known())))
            case _:
                return self._counts_one_by_one(subject)

    def _counts_one_by_one(self, subject: Subject) -> Counts:
        run = self.run_of(subject)
        keys = self.keys(subject)
        codes = self._codes_of(keys, run)
        done = (key for key, code in zip(keys, codes, strict=True) if code == _DONE)
        reused = sum(self._is_reused(key, run or self.home_of(key)) for key in done)
        return replace(_counts(codes), reused=reused)

    def _is_reused(self, key: JobKey, run: RunKey | None) -> bool:
        index = None if run is None else self.index(run)
        return index is not None and index.is_reused(key)

    def totals(self) -> Counts:
        """Of what all experiments stand on together; a job that two of them share counts once.

        What failed or died counts as failed, and with what failed before and is not replaced.
        """
        runs = [each.latest for each in self.experiments() if each.latest is not None]
        counted = list(self._shared.counts([index for index in map(self.index, runs) if index]))
        of: Counter[JobState] = Counter()
        for counts in counted:
            of.update({state: count for state, count in counts.of.items() if state not in FAILURES})
        failed = len(self._failed_keys())
        if failed:
            of[JobState.FAILED] = failed
        return Counts(of, sum(counts.reused for counts in counted))

    def _all_keys(self) -> tuple[JobKey, ...]:
        if self._all is None:
            self._all = by_code(self.known(), self._known_codes())
        return self._all

    def left_behind(self, experiment: str) -> tuple[JobKey, ...]:
        """What failed in earlier runs of an experiment, and no complete run has named since."""
        found = self._left.get(experiment)
        if found is None:
            found = self._left[experiment] = self.left_in(experiment)
        return found

    def _failed_keys(self) -> tuple[JobKey, ...]:
        if self._failed is None:
            found: dict[JobKey, None] = {}
            for experiment in self.experiments():
                index = None if experiment.latest is None else self.index(experiment.latest)
                if index is not None:
                    found.update(dict.fromkeys(index.failed()))
                found.update(dict.fromkeys(self.left_behind(experiment.name)))
            self._failed = tuple(found)
        return self._failed

    # Names

    def task_name(self, task: str, run: RunKey | None = None) -> str:
        """A short name of a task, as the run calls it."""
        index = None if run is None else self.index(run)
        return last_part(task) if index is None else index.names.get(task, last_part(task))

    def group_label(self, run: RunKey, group: GroupKey) -> tuple[str, ...]:
        """What a group, and those that it is inside of, are called: one name a level."""
        if group.by is Grouping.TASK and group.path:
            return (self.task_name(group.path[0], run),)
        return tuple(
            part if "=" in part or group.by is not Grouping.TAG else f"no {part}"
            for part in group.path
        )

    def label(self, job: Job) -> str:
        """What a job is called among the jobs of its task: by what differs, else six digits."""
        index = None if job.run is None else self.index(job.run)
        if index is not None and job.key in index.references:
            return index.label(job.key)
        return Labelling(tuple(job.tags), digits=not job.tags).label(job.key, job.tags, job.params)

    def title(self, job: Job) -> str:
        """Its task's name and its label: ``learn lr=0.01 seed=2``."""
        return f"{self.task_name(job.key.task, job.run)} {self.label(job)}"


_DONE = CODE_OF[JobState.DONE]


def _counts(codes: Iterable[int]) -> Counts:
    return Counts({STATES[code]: count for code, count in Counter(codes).items()})
