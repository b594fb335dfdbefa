"""Every job and run that was read, how old that is, and what changed since.

Belongs to one thread. A job is read again when the stamp of its ``.xpm/`` differs, because every
change of its state adds or replaces a file there; a run when that of its files does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from xpm_engine.workspace import scan
from xpm_engine.workspace.footing import Footing
from xpm_engine.workspace.index.growing import GrowingManifest
from xpm_engine.workspace.index.packing import JobRow, pack_job, pack_manifest
from xpm_engine.workspace.index.stamps import NAMES, NO_NAMES, Stamp, Stamps
from xpm_engine.workspace.layout import (
    JobKey,
    WorkspacePaths,
    is_identifier,
    is_name,
    is_task_folder,
)
from xpm_engine.workspace.processes import Liveness, liveness
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.runs import Manifest
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord, RunView

RunName: TypeAlias = tuple[str, str]
"""Experiment and run."""


@dataclass(frozen=True)
class StoredRun:
    """A run as it was read."""

    view: RunView
    files: Stamp
    """Of run.json and queue.json."""
    manifest: Stamp


class Known:
    """What was read of a workspace."""

    def __init__(
        self, workspace: WorkspacePaths, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.workspace = workspace
        self.footing: Footing | None = None
        """Where it is given, nothing that was read is believed once it stands no more."""
        self.stamps = Stamps(clock)
        self.jobs: dict[JobKey, tuple[int | None, JobRow]] = {}
        """With the stamp of the folder, None for one that says nothing."""
        self.runs: dict[RunName, StoredRun] = {}
        self._remembered: dict[RunName, StoredRun] = {}
        """Runs that went on when they were remembered: what they are is read before it is told."""
        self._growing: dict[RunName, GrowingManifest] = {}
        self.young: set[JobKey] = set()
        """The jobs that were read so soon after a change that they must be read again.

        So is a folder that has no ticket yet: whoever made it is about to write the first one, and
        the folder that it stands in, which told of it, says no more.
        """
        self._around: dict[JobKey, tuple[frozenset[str], Stamp]] = {}
        """Of running jobs the files that were there when they were read, and a stamp of those that
        tell more than how far they are."""
        self._vanished: set[JobKey] = set()
        """The jobs whose folder was gone when it was looked at, though a list may have named it:
        where it is there again by the next list, no list is another.
        """
        self.unstarted: set[JobKey] = set()
        """The jobs whose folder has no attempt that counts: the next one changes no list."""
        self.young_runs: set[RunName] = set()
        """The same of runs: one whose record is not there yet is no live one, which would be."""
        self.tasks: dict[str, tuple[str, ...]] = {}
        """The folders of jobs in those of each task, when they were listed last."""
        self.differs = False
        """Whether something differs from what was remembered."""
        self.unlisted: dict[str, OSError] = {}
        """The folders that could not be listed since this was cleared: what is in them stays."""

    def remember(
        self,
        jobs: Mapping[JobKey, tuple[int | None, bytes]],
        runs: Mapping[RunName, StoredRun],
    ) -> dict[RunName, StoredRun]:
        """Take what is in an index; returns the runs that can be shown before they are read."""
        self.jobs.update(jobs)
        over = {name: run for name, run in runs.items() if not run.view.live}
        self.runs.update(over)
        self._remembered = {name: run for name, run in runs.items() if run.view.live}
        return over

    def list_runs(self) -> list[tuple[str, tuple[str, ...]]]:
        """The experiments with the ids of their runs, oldest first.

        Of what can't be listed, as `unlisted` tells, they are those that are known.
        """
        experiments = self._folders_in(self.workspace.experiments)
        if experiments is None:
            experiments = tuple(sorted({experiment for experiment, _ in self.runs}))
        return [(name, self._runs_of(name)) for name in filter(is_name, experiments)]

    def _runs_of(self, experiment: str) -> tuple[str, ...]:
        names = self._folders_in(self.workspace.experiment(experiment))
        if names is None:
            names = tuple(sorted(run for name, run in self.runs if name == experiment))
        return tuple(filter(is_name, names))

    def come_or_gone(self) -> list[JobKey]:
        """The jobs whose folder came or went since this was last asked.

        None of those in what can't be listed, as `unlisted` tells; the others are told all the
        same, for they are told once.
        """
        jobs = self.workspace.jobs
        found: list[JobKey] = []
        folders = self._folders_in(jobs)
        tasks = tuple(self.tasks if folders is None else filter(is_task_folder, folders))
        known = {} if self.tasks else self._identifiers()
        for task in (*tasks, *(self.tasks.keys() - set(tasks))):
            names = self._folders_in(f"{jobs}/{task}", known.pop(task, NO_NAMES))
            if names is None:
                continue
            before = self.tasks.get(task, NAMES)
            if names is not before:
                self.tasks[task] = names
                different = set(names) ^ set(before)
                found.extend(JobKey(task, name) for name in filter(is_identifier, different))
            if not names and task not in tasks:
                del self.tasks[task]
                self.stamps.forget(f"{jobs}/{task}")
        return [*found, *self._there_again()]

    def _there_again(self) -> Iterator[JobKey]:
        """Of the jobs that had vanished those that are in the lists; others are not waited for."""
        vanished, jobs = self._vanished, self.workspace.jobs
        self._vanished = {key for key in vanished if not self._may_look(jobs, key.task)}
        for task in {key.task for key in vanished}:
            names = frozenset(self.tasks.get(task, NAMES))
            yield from (key for key in vanished if key.task == task and key.identifier in names)

    def _folders_in(self, path: str, known: Mapping[str, str] = NO_NAMES) -> tuple[str, ...] | None:
        """As `Stamps.folders_in`; None where it can't be listed."""
        try:
            return self.stamps.folders_in(path, known)
        except OSError as error:
            self.unlisted[path] = error
            return None

    def _may_look(self, folder: str, name: str) -> bool:
        """Whether what is not seen in a folder is not there: it could be listed, and that too."""
        return folder not in self.unlisted and f"{folder}/{name}" not in self.unlisted

    def _identifiers(self) -> dict[str, dict[str, str]]:
        """Those of the jobs that were remembered, by task."""
        found: dict[str, dict[str, str]] = {}
        for task, identifier in self.jobs:
            found.setdefault(task, {})[identifier] = identifier
        return found

    def differing(self) -> Iterator[JobKey]:
        """The jobs that may not be as they were: by their stamp, and those that can still change.

        There may be very many that are as they were: this does no more for each than it has to.
        """
        lstat, xpm_of = os.lstat, self.workspace.job_xpm
        for key, (stamp, row) in list(self.jobs.items()):
            try:
                found = lstat(xpm_of(key))
            except OSError:
                yield key
                continue
            same = stamp == found.st_ino << 64 | found.st_mtime_ns
            if not same or not isinstance(row, bytes):
                yield key

    def look_at_job(self, key: JobKey, *, ask: bool = True) -> JobRow | None:
        """The job, if it is not as it was; `never started` for one whose folder is gone.

        With `ask` false a process that runs it is not looked for: that costs more than the stamp.
        Raises NotAWorkspaceError, as `look_at_run` and `forget_runs` do, where the footing is.
        """
        if self.unlisted and not self._may_look(self.workspace.jobs, key.task):
            return None
        known = self.jobs.get(key)
        stamp = self.stamps.of_job(self.workspace.job_xpm(key))
        if known is not None and stamp is not None and stamp == known[0]:
            row = known[1]
            if isinstance(row, JobRecord) and row.state is JobState.UNREACHABLE:
                return self._look_for_sign(key, stamp, row)
            if not ask or isinstance(row, bytes) or row.state is not JobState.RUNNING:
                return None
            if row.supervisor is None or not is_dead(row.supervisor):
                return None
        record = self._read_job(key, None if known is None else known[1], ask=ask)
        self.check()
        if record.state is JobState.NOT_SUBMITTED:
            root = self.workspace.job(key).root
            begun = self.stamps.is_fresh(root)
            if not begun and not os.path.lexists(root):
                self._vanished.add(key)
            (self.young.add if begun else self.young.discard)(key)
            (self.unstarted.add if stamp != 0 else self.unstarted.discard)(key)
            self.differs |= self.jobs.pop(key, None) is not None
            return None if known is None else record
        self.unstarted.discard(key)
        row = pack_job(record)
        same = known is not None and known[1] == row
        # What is the same stays the very same: who compares many need not look into each.
        self.jobs[key] = (stamp, known[1] if known is not None and same else row)
        self.differs = True
        (self.young.add if stamp is None else self.young.discard)(key)
        return None if same else row

    def _read_job(self, key: JobKey, row: JobRow | None, *, ask: bool) -> JobRecord:
        """The job; of a running one that only told how far it is, no more than that is read.

        All else is told by which files there are, and by its tickets and its summary: a full disk
        may have cut short what nobody replaces.
        """
        if not isinstance(row, JobRecord) or row.state is not JobState.RUNNING:
            self._around.pop(key, None)
            return scan.read_job(self.workspace, key)
        job = self.workspace.job(key)
        names = self.stamps.files_in(job.xpm)
        numbered = sorted(name for name in names if name[0].isdigit())
        files = self.stamps.of(job.summary, *(f"{job.xpm}/{name}" for name in numbered))
        before, self._around[key] = self._around.get(key), (names, files)
        same = files is not None and before == (names, files)
        if same and not (ask and (row.supervisor is None or is_dead(row.supervisor))):
            return replace(row, progress=scan.read_progress(job, row.attempt))
        return scan.read_job(self.workspace, key)

    def _look_for_sign(self, key: JobKey, stamp: int, row: JobRecord) -> JobRow | None:
        """A job on another host, if it gave a sign of life, which leaves its folder's stamp."""
        sign = scan.last_sign(self.workspace.job(key), row.attempt)
        if sign == row.sign:
            return None
        row = replace(row, sign=sign)
        self.jobs[key] = (stamp, row)
        return row

    def look_at_run(self, name: RunName) -> RunView | None:
        """The run, if it is not as it was."""
        if self.unlisted and not self._may_look(self.workspace.experiments, name[0]):
            return None
        known = self.runs.get(name)
        paths = self.workspace.run(*name)
        files = self.stamps.of(paths.record, paths.queue)
        lines = self.stamps.of(paths.manifest)
        same_lines = known is not None and lines is not None and lines == known.manifest
        if known is not None and same_lines and files is not None and files == known.files:
            record = known.view.record
            if not known.view.live or record is None or not is_dead(record.driver):
                self._note_age(name, young=self._is_begun(name, known.view))
                return None
        manifest = known.view.manifest if known is not None and same_lines else None
        before = self._remembered.pop(name, None)
        if known is None and before is not None and lines is not None and lines == before.manifest:
            manifest = before.view.manifest
        if manifest is None and known is not None and (known.view.live or name in self._growing):
            manifest = self._grown(name, paths.manifest)
        view = scan.read_run(self.workspace, *name, manifest=manifest)
        self.check()
        view = replace(view, manifest=pack_manifest(view.manifest))
        if known is not None and known.view.manifest == view.manifest:
            view = replace(view, manifest=known.view.manifest)
        self.runs[name] = StoredRun(view, files, lines)
        young = files is None or lines is None or self._is_begun(name, view)
        self._note_age(name, young=young)
        if not view.live and not young:
            self._growing.pop(name, None)
        self.differs = True
        return None if known is not None and known.view == view else view

    def _is_begun(self, name: RunName, view: RunView) -> bool:
        """Whether the record of a run that has none is about to be written."""
        return view.record is None and self.stamps.is_fresh(self.workspace.run(*name).root)

    def _note_age(self, name: RunName, *, young: bool) -> None:
        (self.young_runs.add if young else self.young_runs.discard)(name)

    def _grown(self, name: RunName, path: str) -> Manifest | None:
        """The manifest of a run that was live; None if it can't be read as it grew."""
        try:
            return self._growing.setdefault(name, GrowingManifest(path)).read()
        except OSError:
            self._growing.pop(name, None)
            return None

    def forget_runs(self, names: Iterable[RunName]) -> None:
        """These runs are gone."""
        gone = list(names)
        if gone:
            self.check()
        for name in gone:
            self.differs |= self.runs.pop(name, None) is not None
            self._growing.pop(name, None)
            self.young_runs.discard(name)

    def distrust(self) -> None:
        """A reading was broken off: what it listed is listed again, and all of it is looked at."""
        self.stamps.clear()
        self.tasks.clear()

    def check(self) -> None:
        """That what was read may be believed; raises NotAWorkspaceError."""
        if self.footing is not None:
            self.footing.check()


def is_dead(identity: ProcessIdentity) -> bool:
    """Whether a process is proved dead."""
    return liveness(identity) is Liveness.DEAD
