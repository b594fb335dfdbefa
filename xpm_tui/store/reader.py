"""The disk -> deltas: reads what changed since the last look, and nothing else.

Belongs to one thread. A job is read again when the stamp of its ``.xpm/`` differs, because every
change of its state adds or replaces a file there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from xpm_engine.workspace import scan
from xpm_engine.workspace.cleaning.transactions import Transaction, list_trash
from xpm_engine.workspace.layout import (
    JobKey,
    WorkspacePaths,
    is_identifier,
    is_name,
    is_task_folder,
)
from xpm_engine.workspace.processes import Liveness, liveness
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord, RunView
from xpm_tui.store.model import Delta
from xpm_tui.store.stamps import NAMES, Stamp, Stamps
from xpm_tui.store.subjects import RunKey, latest_first

BATCH = 2_000
"""Jobs in one delta: what a screen takes at once without a pause that can be felt."""


@dataclass(frozen=True)
class Look:
    """What to look at, besides what is live and what is new."""

    jobs: frozenset[JobKey] = frozenset()
    runs: frozenset[RunKey] = frozenset()
    everything: bool = False
    """Compare the stamp of every job and every run."""


class Reader:
    """What was read of a workspace, and how old it is."""

    def __init__(
        self, workspace: WorkspacePaths, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.workspace = workspace
        self.live_jobs: frozenset[JobKey] = frozenset()
        """The jobs that can still change by themselves."""
        self.live_runs: frozenset[RunKey] = frozenset()
        """The runs whose plan may still add to them."""
        self._stamps = Stamps(clock)
        self._names: tuple[str, ...] | None = None
        self._tasks: dict[str, tuple[str, ...]] = {}
        self._views: dict[RunKey, tuple[Stamp, RunView]] = {}
        self._jobs: dict[JobKey, tuple[Stamp, JobRecord]] = {}
        self._young: set[JobKey] = set()
        self._trash: Stamp = None
        self._trashed: tuple[Transaction, ...] | None = None
        self._problem = ""

    def folders(self) -> tuple[str, ...]:
        """The folders where something appears when a plan or a cleaner does something."""
        workspace = self.workspace
        return (
            workspace.root,
            workspace.experiments,
            *map(workspace.experiment, self._names or ()),
            *(workspace.run(run.experiment, run.run).root for run in sorted(self.live_runs)),
            workspace.jobs,
            *(f"{workspace.jobs}/{task}" for task in self._tasks),
            workspace.trash,
        )

    def read(self, look: Look) -> Iterator[Delta]:
        """Look at the disk; yields what is new, the experiments' latest runs first.

        A folder that can't be read becomes the `problem` of the last delta.
        """
        problem = ""
        try:
            os.stat(self.workspace.root)
            yield from self._read(look)
        except OSError as error:
            where = os.fsdecode(error.filename or self.workspace.root)
            problem = f"{where}: {error.strerror or error}"
        changed = problem != self._problem
        self._problem = problem
        yield Delta(problem=problem if changed else None)

    def _read(self, look: Look) -> Iterator[Delta]:
        first = self._names is None
        names, latest, older = self._list_runs()
        gone_runs = frozenset(self._views.keys() - {*latest, *older})
        for run in gone_runs:
            del self._views[run]
        fresh = dict(self._read_runs(latest, look))
        head = Delta(
            runs=fresh,
            gone_runs=gone_runs,
            experiments=names if names != self._names else None,
            trash=self._read_trash(look),
        )
        self._names = names
        batches = self._batches(self._candidates(look), fresh.values())
        for number, batch in enumerate(batches, start=1):
            done = number / (len(batches) + 1) if first else 1.0
            part = replace(head, jobs=dict(self._read_jobs(batch)), checked=done)
            head = Delta()
            if part:
                yield part
        fresh = dict(self._read_runs(older, look))
        self._note_live()
        yield Delta(runs=fresh)

    # Runs

    def _list_runs(self) -> tuple[tuple[str, ...], list[RunKey], list[RunKey]]:
        """The names of the experiments, their latest runs, and their earlier ones."""
        workspace, latest, older = self.workspace, list[RunKey](), list[RunKey]()
        names = tuple(filter(is_name, self._stamps.folders_in(workspace.experiments)))
        for name in names:
            runs = filter(is_name, self._stamps.folders_in(workspace.experiment(name)))
            keys = latest_first([RunKey(name, run) for run in runs])
            latest += keys[:1]
            older += keys[1:]
        return names, latest, older

    def _read_runs(self, runs: Iterable[RunKey], look: Look) -> Iterator[tuple[RunKey, RunView]]:
        for run in runs:
            known = self._views.get(run)
            if known is not None and not (look.everything or run in look.runs or known[1].live):
                continue
            paths = self.workspace.run(run.experiment, run.run)
            stamp = self._stamps.of(paths.record, paths.manifest, paths.queue)
            if known is not None and stamp is not None and stamp == known[0]:
                record = known[1].record
                if not known[1].live or record is None or not _is_dead(record.driver):
                    continue
            view = scan.read_run(self.workspace, run.experiment, run.run)
            self._views[run] = (stamp, view)
            if known is None or known[1] != view:
                yield run, view

    # Jobs

    def _candidates(self, look: Look) -> list[JobKey]:
        """The jobs that may have changed, come or gone."""
        jobs = self.workspace.jobs
        asked = {*look.jobs, *self.live_jobs, *self._young}
        if look.everything:
            asked.update(self._jobs)
        tasks = tuple(filter(is_task_folder, self._stamps.folders_in(jobs)))
        for task in (*tasks, *(self._tasks.keys() - set(tasks))):
            names = self._stamps.folders_in(f"{jobs}/{task}")
            before = self._tasks.get(task, NAMES)
            if names is not before:
                self._tasks[task] = names
                different = set(names) ^ set(before)
                asked.update(JobKey(task, name) for name in filter(is_identifier, different))
            if not names and task not in tasks:
                del self._tasks[task]
                self._stamps.forget(f"{jobs}/{task}")
        return sorted(asked)

    def _batches(
        self, candidates: Sequence[JobKey], views: Iterable[RunView]
    ) -> list[Sequence[JobKey]]:
        """What is to be read in which delta: the jobs of these runs first."""
        if len(candidates) <= BATCH:
            return [candidates]
        wanted = {reference.key for view in views for reference in view.manifest.references}
        ordered = sorted(candidates, key=lambda key: key not in wanted)
        return [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]

    def _read_jobs(self, keys: Iterable[JobKey]) -> Iterator[tuple[JobKey, JobRecord]]:
        for key in keys:
            known = self._jobs.get(key)
            stamp = self._stamps.of(self.workspace.job(key).xpm)
            if known is not None and stamp is not None and stamp == known[0]:
                supervisor = known[1].supervisor
                running = known[1].state is JobState.RUNNING
                if not running or supervisor is None or not _is_dead(supervisor):
                    continue
            record = scan.read_job(self.workspace, key)
            if record.state is JobState.NOT_SUBMITTED:
                self._jobs.pop(key, None)
                self._young.discard(key)
                if known is not None:
                    yield key, record
                continue
            self._jobs[key] = (stamp, record)
            if stamp is None:
                self._young.add(key)
            else:
                self._young.discard(key)
            if known is None or known[1] != record:
                yield key, record

    def _note_live(self) -> None:
        self.live_runs = frozenset(run for run, (_, view) in self._views.items() if view.live)
        self.live_jobs = frozenset(
            key for key, (_, record) in self._jobs.items() if record.state.live
        )

    # Trash

    def _read_trash(self, look: Look) -> tuple[Transaction, ...] | None:
        stamp = self._stamps.of(self.workspace.trash)
        if not look.everything and stamp is not None and stamp == self._trash:
            return None
        self._trash = stamp
        found = list_trash(self.workspace)
        if found == self._trashed:
            return None
        self._trashed = found
        return found


def _is_dead(identity: ProcessIdentity) -> bool:
    return liveness(identity) is Liveness.DEAD
