"""The earlier job of a task that is most like a given one, found by shared digests."""

from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import aliases, scan
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, is_identifier, list_folders
from xpm_engine.workspace.records.params import FieldKind, FieldRecord, ObjectRecord, ParamsRecord

MOST_READ = 500
"""Jobs of a task whose parameters are read, the newest ones; of the others only the date."""

MOST_RENAMED = 8
"""Jobs of another task that are read to see whether it is this one under a former name."""

_HASHED = (FieldKind.PARAM, FieldKind.CONSTANT)


@dataclass(frozen=True)
class Earlier:
    """What there was before a job."""

    nearest: JobKey | None
    """The job that shares most with it; of the same project where there is one."""
    params: ParamsRecord | None
    """Its parameters."""
    jobs: int
    """How many earlier jobs the task has."""
    read: int
    """How many of them were compared: the newest ones."""
    unreadable: int = 0
    """How many of those could not be read."""


class EarlierJobs:
    """The jobs of a workspace that another can be compared with; each task is read once."""

    def __init__(self, workspace: WorkspacePaths, *, before: JobKey | None = None) -> None:
        """All jobs, or those that were ordered before a job whose folder is there."""
        self.workspace = workspace
        self._limit = None if before is None else _ordered_at(workspace, before)
        self._tasks: dict[str, _Candidates] = {}

    def nearest(self, key: JobKey, params: ParamsRecord) -> Earlier:
        """The nearest of the other jobs of the same task."""
        candidates = self._tasks.get(key.task)
        if candidates is None:
            candidates = _Candidates(self.workspace, self._dated(key.task))
            self._tasks[key.task] = candidates
        return candidates.nearest(key, params)

    def renamed(self, key: JobKey, params: ParamsRecord) -> Earlier | None:
        """The job of another task that is this one under a former name; None if none is so alike.

        That is one whose class has the same name in another module, or the same documentation,
        and whose parameters have the same names.
        """
        found: list[tuple[float, JobKey]] = []
        for task in sorted(list_folders(self.workspace.jobs)):
            if task != key.task and len(found) < MOST_READ:
                newest = heapq.nlargest(MOST_RENAMED, self._dated(task))
                records = (read_params(self.workspace, other) for _, other in newest)
                first = next((each for each in records if each is not None), None)
                if first is not None and _may_be_renamed(first.top, params.top):
                    found.extend(newest)
        earlier = _Candidates(self.workspace, found).nearest(key, params)
        return None if earlier.params is None else earlier

    def _dated(self, task: str) -> Iterator[tuple[float, JobKey]]:
        """The jobs of a task, with the time of their first order."""
        for name in list_folders(f"{self.workspace.jobs}/{task}"):
            if is_identifier(name):
                key = JobKey(task, name)
                date = _ordered_at(self.workspace, key)
                if date is not None and (self._limit is None or date < self._limit):
                    yield date, key


class _Candidates:
    """The newest jobs of a task, by the digests of all that they are made of."""

    def __init__(self, workspace: WorkspacePaths, dated: Iterable[tuple[float, JobKey]]) -> None:
        everything = list(dated)
        newest = heapq.nlargest(MOST_READ, everything)
        self.total = len(everything)
        self.read = len(newest)
        self.unreadable = 0
        self.jobs: list[tuple[JobKey, ParamsRecord]] = []
        """Newest first."""
        self.sizes: list[int] = []
        """How many digests each has."""
        self.holders: dict[tuple[str, str, str], list[int]] = {}
        """Digest -> the places in `jobs` of those that have it."""
        self.keys = {key for _, key in everything}
        for _, key in newest:
            params = read_params(workspace, key)
            if params is None:
                self.unreadable += 1
                continue
            digests = _digests(params)
            for digest in digests:
                self.holders.setdefault(digest, []).append(len(self.jobs))
            self.jobs.append((key, params))
            self.sizes.append(len(digests))

    def nearest(self, key: JobKey, params: ParamsRecord) -> Earlier:
        """The one with the fewest digests that only one of both has; the newest of equal ones."""
        shared: Counter[int] = Counter()
        for digest in _digests(params):
            shared.update(self.holders.get(digest, ()))
        project = project_name(params)
        best = min(
            (at for at, (other, _) in enumerate(self.jobs) if other != key),
            key=lambda at: (
                project_name(self.jobs[at][1]) != project,
                self.sizes[at] - 2 * shared[at],
                at,
            ),
            default=None,
        )
        itself = 1 if key in self.keys else 0
        return Earlier(
            nearest=None if best is None else self.jobs[best][0],
            params=None if best is None else self.jobs[best][1],
            jobs=self.total - itself,
            read=min(self.read, self.total - itself),
            unreadable=self.unreadable,
        )


def read_params(workspace: WorkspacePaths, key: JobKey) -> ParamsRecord | None:
    """The parameters of a job, or of what it adopted; None where they are gone or unreadable."""
    try:
        return scan.read_params(workspace.job(aliases.resolve(workspace, key)), 1)
    except UnreadableError:
        return None


def project_name(params: ParamsRecord) -> str:
    """The name of the project that a job's code is in: the folder of its plan."""
    return os.path.basename(params.code.project.rstrip("/"))


def _ordered_at(workspace: WorkspacePaths, key: JobKey) -> float | None:
    """When a job was first ordered, in seconds since 1970; None if it was not.

    By the file's time: opening ten thousand tickets to list five hundred is too much. A ticket is
    never written again.
    """
    try:
        return os.stat(workspace.job(key).launch(1)).st_mtime
    except OSError:
        return None


def _digests(params: ParamsRecord) -> set[tuple[str, str, str]]:
    """Every part of a configuration that is in an identifier, with its digest."""
    found: set[tuple[str, str, str]] = set()
    for each in params.objects:
        found.add((each.type_name, "", each.digest))
        found.update((each.type_name, part.name, part.digest) for part in _hashed(each))
    return found


def _hashed(each: ObjectRecord) -> Iterator[FieldRecord]:
    return (part for part in each.fields if part.kind in _HASHED)


def _may_be_renamed(old: ObjectRecord, new: ObjectRecord) -> bool:
    if {part.name for part in _hashed(old)} != {part.name for part in _hashed(new)}:
        return False
    return old.class_name == new.class_name or bool(old.doc and old.doc == new.doc)
