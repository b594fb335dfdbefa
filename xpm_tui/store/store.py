"""The app's model of a workspace: it takes what the reader found, and answers the screens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING

from xpm_engine.workspace.cleaning.transactions import Transaction
from xpm_engine.workspace.index import JobRow, ended_since, keys_of, record_of, state_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, is_retry
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.retries import with_retries
from xpm_engine.workspace.scan import JobRecord, RunView
from xpm_tui.folder import Listing, list_folder
from xpm_tui.store.columns import Snapshot
from xpm_tui.store.labels import Labelling, last_part
from xpm_tui.store.model import (
    Changed,
    Counts,
    Delta,
    Experiment,
    Group,
    Job,
)
from xpm_tui.store.rows import CODE_OF, STATES, JobList, by_code, codes_of
from xpm_tui.store.run_index import MOST_KEPT, RunIndex
from xpm_tui.store.selected import Selected
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
    latest_first,
)

if TYPE_CHECKING:
    from xpm_tui.removal import Removal

FEW = 500
"""Jobs that are asked one by one, rather than all jobs at once."""


class Store:
    """What is known of a workspace; all of its answers are frozen.

    One thread uses it, the one that draws. What costs more than a look-up is worked out when it
    is asked for, and kept until something it rests on has changed. Records are unpacked when they
    are looked at.
    """

    def __init__(
        self,
        workspace: WorkspacePaths,
        *,
        place: str = "",
        root: str = "",
        list_folder: Callable[[str], Listing] = list_folder,
    ) -> None:
        """`place`, `root` and `list_folder` are given where the workspace is on another machine."""
        self.workspace = workspace
        self.place = place
        """Where it is, for the first row; empty: this machine and the path."""
        self._root = root
        self.list_folder = list_folder
        """How the folder of a job is listed; it may wait for another machine."""
        self.trash: tuple[Transaction, ...] = ()
        self.obsolete: Removal | None = None
        """What could be cleaned, as far as that is known; None until it was looked for."""
        self.purged = 0
        """How many cleans were deleted for good and left a record."""
        self.problem = ""
        """What the workspace as a whole suffers from: it is gone, or may not be read."""
        self.version = 0
        """Changes whenever a job or a run does."""
        self.checked = 0.0
        """How much of the workspace was looked at so far, 0 to 1."""
        self.as_of: float | None = None
        """When what is not checked yet was like this, in seconds since 1970; None if nothing was
        remembered."""
        self._rows: dict[JobKey, JobRow] = {}
        self._views: dict[RunKey, RunView] = {}
        self._names: tuple[str, ...] = ()
        self._runs: dict[str, tuple[RunKey, ...]] = {}
        self._runs_of: dict[JobKey, tuple[RunKey, ...]] | None = None
        self._indexes: dict[RunKey, RunIndex] = {}
        self._loose: dict[JobKey, Job] = {}
        self._experiments: tuple[Experiment, ...] | None = None
        self._all: tuple[JobKey, ...] | None = None
        self._codes: dict[JobKey, int] | None = None
        self._in_order: bytes | None = None
        self._known: tuple[JobKey, ...] | None = None
        self._count: int | None = None
        self._failed: tuple[JobKey, ...] | None = None
        self._ended: tuple[str, list[JobKey]] | None = None
        self._trashed: dict[JobKey, str] = {}
        self._in_trash: dict[tuple[JobKey, RunKey | None], Job] = {}
        self._wanted: Selected | None = None
        self._wanted_of: dict[Subject, tuple[JobKey, ...]] = {}
        self._counts_of: dict[Subject, Counts] = {}
        self._dependants: dict[RunKey, dict[JobKey, tuple[JobKey, ...]]] = {}

    # What the reader found

    @property
    def shown(self) -> WorkspacePaths:
        """The workspace by the name that it has for people."""
        return WorkspacePaths(self.told(self.workspace.root))

    def told(self, path: str) -> str:
        """The name that a file of the workspace has for people: where it really is."""
        return self._root + path[len(self.workspace.root) :] if self._root else path

    def apply(self, delta: Delta) -> Changed:
        """Take what was found, and say what is different now."""
        self.checked = delta.checked
        if delta.as_of is not None:
            self.as_of = delta.as_of
        if delta.problem is not None:
            self.problem = delta.problem
        if delta.trash is not None:
            self.trash = delta.trash
            self._trashed = {
                gone.key: clean.name for clean in reversed(self.trash) for gone in clean.removals
            }
        if delta:
            self._in_trash.clear()
        structure = delta.experiments is not None and delta.experiments != self._names
        if delta.experiments is not None:
            self._names = delta.experiments
        structure |= self._take_runs(delta)
        runs = {*delta.runs, *delta.gone_runs, *self._take_jobs(delta.jobs)}
        runs |= {self._runs[run.experiment][0] for run in delta.runs if is_retry(run.run)}
        if structure or runs:
            self._experiments = None
        if delta.jobs or runs:
            self.version += 1
            self._wanted_of.clear()
            self._counts_of.clear()
            self._all = self._codes = self._in_order = self._failed = self._ended = None
        return Changed(
            jobs=frozenset(delta.jobs),
            runs=frozenset(runs),
            experiments=structure,
            trash=delta.trash is not None,
        )

    def _take_runs(self, delta: Delta) -> bool:
        """True if runs came or went."""
        before = set(self._views)
        for run in delta.gone_runs:
            self._forget_run(run)
        for run, view in delta.runs.items():
            known, index = self._views.get(run), self._indexes.get(run)
            if known is not None and known.manifest == view.manifest:
                self._views[run] = view
                if index is not None and known.live == view.live and not is_retry(run.run):
                    index.requeue(with_retries(view, self._retries_of(run)))
                else:
                    self._forget_index(run)
                continue
            self._forget_run(run)
            self._views[run] = view
            self._runs_of = self._known = self._count = None
        if before == set(self._views):
            return False
        by_name: dict[str, list[RunKey]] = {}
        for run in self._views:
            by_name.setdefault(run.experiment, []).append(run)
        self._runs = {name: tuple(latest_first(runs)) for name, runs in by_name.items()}
        return True

    def _take_jobs(self, jobs: Mapping[JobKey, JobRow]) -> set[RunKey]:
        """The runs that reference one of the jobs, among those that were asked for."""
        before = len(self._rows)
        self._rows.update(jobs)
        came = len(self._rows) != before
        for key, row in jobs.items():
            if isinstance(row, JobRecord) and row.state is JobState.NOT_SUBMITTED:
                del self._rows[key]
                came = True
        if came:
            self._known = self._count = None
        touched: set[RunKey] = set()
        for run, index in self._indexes.items():
            found = index.references.places.keys() & jobs.keys()
            if found:
                touched.add(run)
                for key in found:
                    index.update(key)
        for key in self._loose.keys() & jobs.keys():
            del self._loose[key]
        return touched

    def _forget_index(self, run: RunKey) -> None:
        self._indexes.pop(run, None)
        if is_retry(run.run):
            # The latest run shows what its retries wait for.
            self._indexes.pop(self._runs.get(run.experiment, (run,))[0], None)

    def _forget_run(self, run: RunKey) -> None:
        self._forget_index(run)
        self._dependants.pop(run, None)
        if self._views.pop(run, None) is not None:
            self._runs_of = self._known = self._count = None
            self._loose.clear()

    def _referring(self) -> Mapping[JobKey, tuple[RunKey, ...]]:
        """For each job that a run references, these runs, the newest first."""
        if self._runs_of is None:
            found: dict[JobKey, tuple[RunKey, ...]] = {}
            for run in sorted(self._views, key=lambda run: run.run, reverse=True):
                only = (run,)
                for key in keys_of(self._views[run].manifest):
                    found[key] = found[key] + only if key in found else only
            self._runs_of = found
        return self._runs_of

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
        active = "" if view.record is None else view.record.ended or view.record.started
        if index is not None and not view.live:
            active = max(active, index.last_ended)
        return Experiment(name, runs, view, counts, active)

    def run(self, run: RunKey) -> RunView | None:
        """A run as it was read; None if it is gone."""
        return self._views.get(run)

    def index(self, run: RunKey) -> RunIndex | None:
        """A run ready to be asked; None if it is gone."""
        found = self._indexes.get(run)
        if found is None and run in self._views:
            view = with_retries(self._views[run], self._retries_of(run))
            found = self._indexes[run] = RunIndex(run, view, self._rows.get)
        return found

    def _retries_of(self, run: RunKey) -> list[RunView]:
        """What was retried since the latest run of an experiment, oldest first."""
        if not self.is_latest(run):
            return []
        retries = [each for each in self._runs[run.experiment] if is_retry(each.run)]
        return [self._views[each] for each in reversed(retries) if each.run > run.run]

    def groups(self, run: RunKey, by: Grouping, path: tuple[str, ...] = ()) -> tuple[Group, ...]:
        """The groups right inside a group of a run; none where jobs come next."""
        index = self.index(run)
        found = () if index is None else index.groups(by, path)
        if self._wanted is None:
            return found
        counts = [self.counts(GroupSubject(run, group.key)) for group in found]
        pairs = zip(found, counts, strict=True)
        return tuple(replace(group, counts=count) for group, count in pairs if count.total)

    # Jobs

    def record(self, key: JobKey) -> JobRecord:
        """What the job's folder tells; of a job without one, that it was not submitted."""
        return record_of(key, self._rows.get(key))

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

    def runs_of(self, key: JobKey) -> tuple[RunKey, ...]:
        """The runs that reference a job, newest first."""
        return self._referring().get(key, ())

    def home_of(self, key: JobKey) -> RunKey | None:
        """The newest run that references a job; None for an orphan."""
        runs = self._referring().get(key)
        return None if runs is None else runs[0]

    def state(self, key: JobKey, run: RunKey | None = None) -> JobState:
        """The state of a job in the light of a run, without the rest of it."""
        index = None if run is None else self.index(run)
        if index is not None and key in index.references:
            return index.state(key)
        row = self._rows.get(key)
        return JobState.NOT_SUBMITTED if row is None else state_of(row)

    def is_latest(self, run: RunKey) -> bool:
        """Whether it is the latest run of its experiment."""
        return self._runs.get(run.experiment, ())[:1] == (run,)

    def snapshot(self, now: float) -> Snapshot:
        """All jobs in the light of their latest runs, to be made columns of, in any thread."""
        order = sorted(self._views, key=lambda run: (self.is_latest(run), run.run))
        indexes = [index for index in map(self.index, order) if index is not None]
        return Snapshot(
            self.known(),
            dict(self._rows),
            [index.seen(latest=self.is_latest(index.key)) for index in indexes],
            now,
        )

    def is_orphan(self, key: JobKey) -> bool:
        """Whether no run that can be read references the job."""
        return key not in self._referring()

    def is_trashed(self, key: JobKey) -> bool:
        """Whether the job lies in the trash, and nowhere else."""
        return key in self._trashed and key not in self._rows

    def dependants(self, key: JobKey, run: RunKey) -> tuple[JobKey, ...]:
        """The jobs of a run that are made from this one, by one step."""
        found = self._dependants.get(run)
        index = self.index(run)
        if found is None and index is not None:
            lists: dict[JobKey, list[JobKey]] = {}
            for reference in index.references.values():
                for upstream in reference.dependencies:
                    lists.setdefault(upstream, []).append(reference.key)
            found = self._dependants[run] = {up: tuple(down) for up, down in lists.items()}
        return () if found is None else found.get(key, ())

    def unpacked(self, key: JobKey) -> JobRecord | None:
        """The record of a job that may still change by itself; None for any other."""
        row = self._rows.get(key)
        return row if isinstance(row, JobRecord) else None

    def known_now(self) -> tuple[dict[JobKey, JobRow], tuple[RunView, ...]]:
        """All jobs and runs as they were read, for a thread."""
        return dict(self._rows), tuple(self._views.values())

    def records(self) -> Iterator[JobRecord]:
        """Of every job that has a folder, in no order; each is unpacked, so ask for few things."""
        return (record_of(key, row) for key, row in self._rows.items())

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
        return JobList(
            self.keys(subject),
            lambda key: self.job(key, run or self.home_of(key)),
            lambda keys: self._codes_of(keys, run),
        )

    def _codes_of(self, keys: Sequence[JobKey], run: RunKey | None) -> bytes:
        """The states of these jobs, in the light of a run or each of its newest one."""
        index = None if run is None else self.index(run)
        if index is not None and all(map(index.references.__contains__, keys)):
            return index.codes_of(keys)
        if index is None and len(keys) > FEW:
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
        """Of the latest runs of all experiments together; a job in two of them counts twice."""
        of: dict[JobState, int] = {}
        for experiment in self.experiments():
            for state, count in experiment.counts.of.items():
                of[state] = of.get(state, 0) + count
        return Counts(of, sum(experiment.counts.reused for experiment in self.experiments()))

    def _all_keys(self) -> tuple[JobKey, ...]:
        if self._all is None:
            self._all = by_code(self.known(), self._known_codes())
        return self._all

    def _known_codes(self) -> bytes:
        """The states of `known`, as places in `STATES`."""
        if self._in_order is None:
            self._in_order = bytes(map(self._all_codes().__getitem__, self.known()))
        return self._in_order

    def _all_codes(self) -> dict[JobKey, int]:
        """The state of every job in the light of its newest run, as places in `STATES`."""
        if self._codes is None:
            codes = dict(zip(self._rows, codes_of(self._rows.values()), strict=True))
            for run in sorted(self._views, key=lambda run: run.run):
                index = self.index(run)
                if index is not None:
                    codes.update(index.codes())
            self._codes = codes
        return self._codes

    def is_known(self, key: JobKey) -> bool:
        """Whether there is such a job, in a folder or in a run."""
        return key in self._rows or key in self._referring()

    @property
    def known_count(self) -> int:
        """How many jobs there are, whatever the filter says."""
        if self._count is None:
            rows = self._rows
            manifests = (keys_of(view.manifest) for view in self._views.values())
            without = {key for keys in manifests for key in keys if key not in rows}
            self._count = len(rows) + len(without)
        return self._count

    def known(self) -> tuple[JobKey, ...]:
        """All jobs, by task and identifier, whatever the filter says."""
        if self._known is None:
            found = self._rows.keys() | self._referring().keys()
            self._known = tuple(sorted(found, key=_in_order))
        return self._known

    def _failed_keys(self) -> tuple[JobKey, ...]:
        if self._failed is None:
            found: dict[JobKey, None] = {}
            for experiment in self.experiments():
                index = None if experiment.latest is None else self.index(experiment.latest)
                if index is not None:
                    found.update(dict.fromkeys(index.failed()))
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
_in_order = attrgetter("task", "identifier")


def _counts(codes: Iterable[int]) -> Counts:
    return Counts({STATES[code]: count for code, count in Counter(codes).items()})
