"""What the reader found of a workspace: its jobs and its runs, one delta after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter

from xpm_engine.verbs.jobs.snapshots import Sizes, Snapshot
from xpm_engine.workspace.index import JobRow, PackedReferences, keys_of, record_of, state_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, is_retry
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.retries import with_retries
from xpm_engine.workspace.scan import JobRecord, RunView
from xpm_engine.workspace.standing import Standing, stand
from xpm_tui.store.model import FAILURES, Changed, Delta
from xpm_tui.store.rows import codes_of
from xpm_tui.store.run_index import RunIndex
from xpm_tui.store.subjects import RunKey, latest_first

FEW_RUNS = 20
"""Runs that can be asked one by one whether they name a job."""


class Found:
    """The jobs and the runs of a workspace, and what follows from them alone.

    One thread uses it. What costs more than a look-up is worked out when it is asked for, and kept
    until something it rests on has changed. Records are unpacked when they are looked at.
    """

    def __init__(self, workspace: WorkspacePaths) -> None:
        self.workspace = workspace
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
        self._standing: dict[str, Standing] = {}
        self._runs_of: dict[JobKey, tuple[RunKey, ...]] | None = None
        self._indexes: dict[RunKey, RunIndex] = {}
        self._codes: dict[JobKey, int] | None = None
        self._restated: set[JobKey] = set()
        self._restated_in: set[RunKey] = set()
        """The jobs, and the runs, of which these tell what was before."""
        self._in_order: bytes | None = None
        self._known: tuple[JobKey, ...] | None = None
        self._count: int | None = None
        self._trashed: dict[JobKey, str] = {}
        self._dependants: dict[RunKey, dict[JobKey, tuple[JobKey, ...]]] = {}

    def apply(self, delta: Delta) -> Changed:
        """Take what was found, and say what is different now."""
        moved = self.checked == delta.checked == 1.0 and self._only_moves(delta)
        self.checked = delta.checked
        if delta.as_of is not None:
            self.as_of = delta.as_of
        if delta.problem is not None:
            self.problem = delta.problem
        structure = delta.experiments is not None and delta.experiments != self._names
        if delta.experiments is not None:
            self._names = delta.experiments
        structure |= self._take_runs(delta)
        runs = {*delta.runs, *delta.gone_runs, *self._take_jobs(delta.jobs)}
        runs |= {self._runs[run.experiment][0] for run in delta.runs}
        if (delta.jobs or runs) and not moved:
            self.version += 1
            self._in_order = None
            if structure or self._known is None:
                self._codes = None
            elif self._codes is not None:
                self._restated.update(delta.jobs)
                self._restated_in.update(runs)
        return Changed(
            jobs=frozenset(delta.jobs),
            runs=frozenset(runs),
            experiments=structure,
            trash=delta.trash is not None,
            moved=moved,
        )

    def _only_moves(self, delta: Delta) -> bool:
        """Whether running jobs only told how far they are now."""
        if delta.beyond_jobs:
            return False
        return all(_moved(self._rows.get(key), row) for key, row in delta.jobs.items())

    def _take_runs(self, delta: Delta) -> bool:
        """True if runs came or went, or another stands for an experiment."""
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
            if known is not None and self._grow(run, known, view):
                continue
            self._forget_run(run)
            self._views[run] = view
            self._runs_of = self._known = self._count = None
        moved = self._order_runs({run.experiment for run in (*delta.gone_runs, *delta.runs)})
        return moved or before != set(self._views)

    def _grow(self, run: RunKey, known: RunView, view: RunView) -> bool:
        """Take what was appended to the manifest of a run that goes on; False if it is another."""
        before, lines = known.manifest.references, view.manifest.references
        if is_retry(run.run) or not (known.live and view.live):
            return False
        if not (isinstance(before, PackedReferences) and isinstance(lines, PackedReferences)):
            return False
        if not lines.extends(before):
            return False
        fresh = lines.keys[len(before) :]
        unknown = [key for key in fresh if not self.is_known(key)]
        if self._known is not None:
            self._known = _in_order([*self._known, *unknown])
        if self._count is not None:
            self._count += len(unknown)
        if self._runs_of is not None:
            for key in fresh:
                runs = (run, *self._runs_of.get(key, ()))
                self._runs_of[key] = tuple(sorted(runs, key=lambda run: run.run, reverse=True))
        self._views[run] = view
        self._dependants.pop(run, None)
        if run in self._indexes:
            self._indexes[run].grow(with_retries(view, self._retries_of(run)))
        return True

    def _order_runs(self, experiments: Iterable[str]) -> bool:
        """Of these experiments, see which run stands for each; True for another than before."""
        by_name: dict[str, list[RunKey]] = {name: [] for name in experiments}
        for run in self._views:
            if run.experiment in by_name:
                by_name[run.experiment].append(run)
        moved = False
        for name, runs in by_name.items():
            before = self._runs.pop(name, ())[:1]
            self._standing.pop(name, None)
            ordered = latest_first(runs)
            plans = (self._views[run] for run in ordered if not is_retry(run.run))
            standing = stand(plans)
            if standing is not None:
                self._standing[name] = standing
                first = RunKey(name, standing.view.run)
                ordered.remove(first)
                ordered.insert(0, first)
            if ordered:
                self._runs[name] = tuple(ordered)
            if before != tuple(ordered[:1]):
                moved = True
                # What was retried is seen in the run that stands, and in no other.
                for run in (*before, *ordered[:1]):
                    self._indexes.pop(run, None)
        return moved

    def _take_jobs(self, jobs: Mapping[JobKey, JobRow]) -> set[RunKey]:
        """The runs that reference one of the jobs, among those that were asked for."""
        gone = [
            key
            for key, row in jobs.items()
            if isinstance(row, JobRecord) and row.state is JobState.NOT_SUBMITTED
        ]
        if gone or not all(map(self.is_known, jobs)):
            self._known = self._count = None
        self._rows.update(jobs)
        for key in gone:
            del self._rows[key]
        touched: set[RunKey] = set()
        for run, index in self._indexes.items():
            found = index.references.places.keys() & jobs.keys()
            if found:
                touched.add(run)
                for key in found:
                    index.update(key)
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

    def _referring(self) -> dict[JobKey, tuple[RunKey, ...]]:
        """For each job that a run references, these runs, the newest first."""
        if self._runs_of is None:
            found: dict[JobKey, tuple[RunKey, ...]] = {}
            for run in sorted(self._views, key=lambda run: run.run, reverse=True):
                only = (run,)
                for key in keys_of(self._views[run].manifest):
                    found[key] = found[key] + only if key in found else only
            self._runs_of = found
        return self._runs_of

    # Runs

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
        """What was retried since the run that stands for an experiment, oldest first."""
        if not self.is_latest(run):
            return []
        retries = [each for each in self._runs[run.experiment] if is_retry(each.run)]
        return [self._views[each] for each in reversed(retries) if each.run > run.run]

    def is_latest(self, run: RunKey) -> bool:
        """Whether it is the run that stands for its experiment: the latest, or what that left."""
        return self._runs.get(run.experiment, ())[:1] == (run,)

    def later_runs(self, experiment: str) -> tuple[RunView, ...]:
        """The runs that broke off after the one that stands for an experiment, newest first."""
        standing = self._standing.get(experiment)
        return () if standing is None else standing.later

    def left_in(self, experiment: str) -> tuple[JobKey, ...]:
        """What failed in earlier runs that the one that stands for it does not replace."""
        standing = self._standing.get(experiment)
        if standing is None or not standing.before:
            return ()
        rows = self._rows
        return tuple(
            key
            for _, keys in standing.left()
            for key in keys
            if key in rows and state_of(rows[key]) in FAILURES
        )

    # Jobs

    def record(self, key: JobKey) -> JobRecord:
        """What the job's folder tells; of a job without one, that it never started."""
        return record_of(key, self._rows.get(key))

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

    def runs_of(self, key: JobKey) -> tuple[RunKey, ...]:
        """The runs that reference a job, newest first."""
        return self._referring().get(key, ())

    def home_of(self, key: JobKey) -> RunKey | None:
        """The newest run that references a job; None for an orphan."""
        if self._runs_of is None and len(self._indexes) == len(self._views) <= FEW_RUNS:
            # What is asked of a few jobs at the start need not wait for a table of all.
            naming = (run for run, index in self._indexes.items() if key in index.references)
            return max(naming, key=lambda run: run.run, default=None)
        runs = self._referring().get(key)
        return None if runs is None else runs[0]

    def state(self, key: JobKey, run: RunKey | None = None) -> JobState:
        """The state of a job in the light of a run, without the rest of it."""
        index = None if run is None else self.index(run)
        if index is not None and key in index.references:
            return index.state(key)
        row = self._rows.get(key)
        return JobState.NOT_SUBMITTED if row is None else state_of(row)

    def dependants(self, key: JobKey, run: RunKey) -> tuple[JobKey, ...]:
        """The jobs of a run that are made from this one, by one step."""
        found = self._dependants.get(run)
        index = self.index(run)
        if found is None and index is not None:
            found = self._dependants[run] = index.dependants()
        return () if found is None else found.get(key, ())

    # All jobs

    def is_known(self, key: JobKey) -> bool:
        """Whether there is such a job, in a folder or in a run."""
        return key in self._rows or self.home_of(key) is not None

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
            self._known = _in_order(found)
        return self._known

    def _known_codes(self) -> bytes:
        """The states of `known`, as places in `STATES`."""
        if self._in_order is None:
            self._in_order = bytes(map(self._all_codes().__getitem__, self.known()))
        return self._in_order

    def _all_codes(self) -> dict[JobKey, int]:
        """The state of every job in the light of its newest run, as places in `STATES`."""
        if self._codes is None:
            self._codes = dict(zip(self._rows, codes_of(self._rows.values()), strict=True))
            since = ""
        elif self._restated_in or self._restated:
            keys = [key for key in self._restated if key in self._rows]
            rows = [self._rows[key] for key in keys]
            self._codes.update(zip(keys, codes_of(rows), strict=True))
            since = min((run.run for run in self._restated_in), default="~")
        else:
            return self._codes
        self._restated.clear()
        self._restated_in.clear()
        # In those that came later a job may be in another light.
        for run in sorted(self._views, key=lambda run: run.run):
            index = self.index(run) if run.run >= since else None
            if index is not None:
                self._codes.update(index.codes())
        return self._codes

    def snapshot(self, now: float, *, sizes: Sizes) -> Snapshot:
        """All jobs in the light of their latest runs, to be made columns of, in any thread.

        Sizes that were measured before need not be measured again.
        """
        order = sorted(self._views, key=lambda run: (self.is_latest(run), run.run))
        indexes = [index for index in map(self.index, order) if index is not None]
        seen = [index.seen(latest=self.is_latest(index.key)) for index in indexes]
        trashed = frozenset(self._trashed)
        return Snapshot(
            self.workspace, self.known(), dict(self._rows), seen, now, trashed, sizes=sizes
        )

    def snapshot_of(self, index: RunIndex, now: float) -> Snapshot:
        """The jobs of one run in its light."""
        seen = [index.seen(latest=True)]
        trashed = frozenset(self._trashed)
        return Snapshot(self.workspace, index.keys, self._rows, seen, now, trashed)


def _moved(before: JobRow | None, now: JobRow) -> bool:
    """Whether it is another only in how far it says it is; all else is the very same then."""
    if not isinstance(before, JobRecord) or not isinstance(now, JobRecord):
        return False
    if before.progress is None or now.progress is None or now.state is not JobState.RUNNING:
        return False
    fields = vars(now)
    return all(fields[name] is value or name == "progress" for name, value in vars(before).items())


def _in_order(keys: Iterable[JobKey]) -> tuple[JobKey, ...]:
    """By task and identifier: twice by one text is three times as quick as once by two."""
    return tuple(sorted(sorted(keys, key=itemgetter(1)), key=itemgetter(0)))
