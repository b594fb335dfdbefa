"""The identifier lock of a plan: which identifiers a change of code alters, and what that costs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from xpm_engine.config.adoption import former_identifiers
from xpm_engine.config.order import Order
from xpm_engine.config.paths import using_roots
from xpm_engine.errors import StorageError, UnreadableError, UsageError
from xpm_engine.verbs.lockfile import Lock, LockedJob, read_lock, write_lock
from xpm_engine.workspace import tickets
from xpm_engine.workspace.atomic import write_atomic
from xpm_engine.workspace.cleaning.sizes import folder_size
from xpm_engine.workspace.compare import differences, drift
from xpm_engine.workspace.differences import Difference, DifferenceKind, job_text
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.params import ParamsRecord, references

MOST_COMPARED = 250_000
"""Pairs of jobs whose trees are compared to find which became which; beyond it, by position."""


class ChangeKind(Enum):
    """What became of a job of the lock file."""

    ALTERED = "altered"
    """It has another identifier."""
    ADOPTED = "adopted"
    """It has another identifier, and the result of the old one is adopted: its name before."""
    DRIFTED = "drifted"
    """It has the same identifier, and is made with other defaults: its result is refused."""
    GONE = "gone"
    """The plan no longer has it."""
    NEW = "new"
    """The lock file does not have it."""


@dataclass(frozen=True)
class IdChange:
    """One job that is not as the lock file says."""

    kind: ChangeKind
    old: JobKey | None
    """None for a new one."""
    new: JobKey | None
    """None for one that is gone."""
    tags: Mapping[str, Any]
    differences: tuple[Difference, ...] = ()
    finished: bool = False
    """Whether a finished result of `old` would be stranded."""
    size: int = 0
    """What it takes on the disk, in bytes; files with several links count once in a report."""

    def text(self) -> str:
        """``learn/ab12cd → learn/34ef56: lr 0.1 → 0.01``."""
        names = [job_text(key) for key in (self.old, self.new) if key is not None]
        name = " → ".join(dict.fromkeys(names))
        why = "; ".join(each.text() for each in self.differences[:3])
        if len(self.differences) > 3:
            why += f"; and {len(self.differences) - 3} more"
        if self.kind is ChangeKind.ALTERED:
            return f"{name}: {why or 'nothing that the records tell'}"
        return f"{name} ({self.kind.value})" + (f": {why}" if why else "")

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "old": None if self.old is None else str(self.old),
            "new": None if self.new is None else str(self.new),
            "tags": dict(self.tags),
            "differences": [each.to_json() for each in self.differences],
            "finished": self.finished,
            "bytes": self.size,
        }


@dataclass(frozen=True)
class IdsReport:
    """What `check` found."""

    changes: tuple[IdChange, ...]
    """In the order of the lock file, new jobs last."""
    same: int
    """How many jobs are as the lock file says."""

    @property
    def ok(self) -> bool:
        """Whether the plan is as the lock file says."""
        return not self.changes

    @property
    def stranded(self) -> tuple[IdChange, ...]:
        """The changes that leave a finished result without a plan that would use it."""
        return tuple(each for each in self.changes if each.finished)

    @property
    def size(self) -> int:
        """Bytes of the stranded results."""
        return sum(each.size for each in self.changes)

    @property
    def reasons(self) -> tuple[tuple[str, int], ...]:
        """Each difference that is no upstream's, with the number of jobs it is in, most first."""
        counts = Counter(
            part.text()
            for each in self.changes
            for part in each.differences
            if part.kind is not DifferenceKind.UPSTREAM
        )
        return tuple(counts.most_common())

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "same": self.same,
            "changes": [each.to_json() for each in self.changes],
            "reasons": [{"text": text, "jobs": count} for text, count in self.reasons],
            "stranded": {"results": len(self.stranded), "bytes": self.size},
        }


def lock_of(orders: Iterable[Order], arguments: Mapping[str, str]) -> Lock:
    """The lock of a plan's jobs, each once, in the order of the plan."""
    jobs = {order.key: LockedJob(order.key, order.tags, order.params) for order in orders}
    return Lock(tuple(jobs.values()), tuple(sorted(arguments.items())))


def save_lock(lock: Lock, path: str) -> None:
    """Write the lock file; raises StorageError."""
    write_atomic(path, write_lock(lock))


def load_lock(path: str) -> Lock:
    """Read a lock file; raises UsageError where there is none, UnreadableError, StorageError."""
    try:
        with open(path, "rb") as file:
            return read_lock(file.read(), path)
    except FileNotFoundError:
        raise UsageError(
            "there is no lock file", where=path, hint="make it first: `xpm ids snapshot PLAN.py`"
        ) from None
    except OSError as error:
        raise StorageError(f"can't be read: {error.strerror}", where=path) from error


def check(
    lock: Lock, orders: Sequence[Order], workspaces: Iterable[WorkspacePaths] = ()
) -> IdsReport:
    """What is no longer as the lock says, and which finished results of `workspaces` that strands.

    Jobs of the same task are matched by their tags, by their position among those, and by how
    much of their trees they share.
    """
    plan = lock_of(orders, {})
    today = {job.key: job for job in plan.jobs}
    locked = {job.key: job for job in lock.jobs}
    former = _former(orders, but=locked.keys() & today.keys())
    pairs = _matched(
        [job for job in lock.jobs if job.key not in today],
        [job for job in plan.jobs if job.key not in locked],
        former,
    )
    changes: list[IdChange] = []
    settled: set[JobKey] = set()
    for job in lock.jobs:
        found = today.get(job.key)
        if found is None:
            changes.append(_change(job, pairs.get(job.key), former))
        elif not (drifts := _drift(job, found, settled)):
            settled.add(job.key)
        else:
            kind = ChangeKind.DRIFTED
            changes.append(IdChange(kind, job.key, job.key, found.tags, drifts))
    matched = {job.key for job in pairs.values()}
    changes.extend(
        IdChange(ChangeKind.NEW, None, job.key, job.tags)
        for job in plan.jobs
        if job.key not in locked and job.key not in matched
    )
    same = len(lock.jobs) - sum(1 for each in changes if each.old is not None)
    return IdsReport(_measured(changes, list(dict.fromkeys(workspaces))), same)


def _drift(old: LockedJob, new: LockedJob, settled: Collection[JobKey]) -> tuple[Difference, ...]:
    """What the result of a job would be refused for.

    An upstream job that is `settled` only has parameters more, which are adopted: that is no drift
    of its consumers. (A plan submits what is upstream first.)
    """
    found = drift(old.params, new.params)
    return tuple(each for each in found if each.cause or each.drifted_job not in settled)


def _change(old: LockedJob, new: LockedJob | None, former: Mapping[JobKey, JobKey]) -> IdChange:
    if new is None:
        return IdChange(ChangeKind.GONE, old.key, None, old.tags)
    kind = ChangeKind.ADOPTED if former.get(old.key) == new.key else ChangeKind.ALTERED
    return IdChange(kind, old.key, new.key, new.tags, differences(old.params, new.params))


def _former(orders: Iterable[Order], *, but: Iterable[JobKey]) -> dict[JobKey, JobKey]:
    """Former identifier -> the job of today that adopts its result."""
    unchanged = set(but)
    found: dict[JobKey, JobKey] = {}
    for order in orders:
        if order.key not in unchanged:
            with using_roots(order.roots):
                for key in former_identifiers(order.nodes[-1]):
                    found.setdefault(key, order.key)
    return found


def _matched(
    old: Sequence[LockedJob], new: Sequence[LockedJob], former: Mapping[JobKey, JobKey]
) -> dict[JobKey, LockedJob]:
    """Old job -> the new one that it became; the surest matches first."""
    pairs: dict[JobKey, LockedJob] = {}
    by_key = {job.key: job for job in new}
    for job in old:
        adopter = by_key.pop(former[job.key], None) if job.key in former else None
        if adopter is not None:
            pairs[job.key] = adopter
    left = list(by_key.values())
    for name in (_task_and_tags, _task, _class_and_tags):
        remaining = [job for job in old if job.key not in pairs]
        groups = _grouped(remaining, name), _grouped(left, name)
        for group, before in groups[0].items():
            pairs.update(_pair_up(before, groups[1].get(group, [])))
        taken = {job.key for job in pairs.values()}
        left = [job for job in left if job.key not in taken]
    return pairs


def _task_and_tags(job: LockedJob) -> str:
    return json.dumps([job.key.task, job.tags], sort_keys=True)


def _task(job: LockedJob) -> str:
    return job.key.task


def _class_and_tags(job: LockedJob) -> str:
    """What stays the same when a class is moved to another module."""
    return json.dumps([job.params.top.class_name, job.tags], sort_keys=True)


def _grouped(
    jobs: Iterable[LockedJob], name: Callable[[LockedJob], str]
) -> dict[str, list[LockedJob]]:
    groups: dict[str, list[LockedJob]] = {}
    for job in jobs:
        groups.setdefault(name(job), []).append(job)
    return groups


def _pair_up(old: Sequence[LockedJob], new: Sequence[LockedJob]) -> dict[JobKey, LockedJob]:
    """Match two groups: by position if they are equally many, else the nearest trees first."""
    if len(old) == len(new) or len(old) * len(new) > MOST_COMPARED:
        return {before.key: after for before, after in zip(old, new, strict=False)}
    mine, yours = [[_tree(job.params) for job in group] for group in (old, new)]
    distances = sorted(
        (len(one ^ other), abs(at - to), at, to)
        for at, one in enumerate(mine)
        for to, other in enumerate(yours)
    )
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, at, to in distances:
        if at not in pairs and to not in taken:
            pairs[at] = to
            taken.add(to)
    return {old[at].key: new[to] for at, to in pairs.items()}


def _tree(params: ParamsRecord) -> set[str]:
    """The digests of all that a configuration is made of, each with the name of its field."""
    found: set[str] = set()
    rows, seen = [params.root], {params.root}
    while rows:
        each = params.objects[rows.pop()]
        for part in each.fields:
            found.add(f"{each.type_name} {part.name} {part.digest}")
            below = set(references(part.value)) - seen
            seen |= below
            rows.extend(below)
    return found


def _measured(
    changes: Sequence[IdChange], workspaces: Sequence[WorkspacePaths]
) -> tuple[IdChange, ...]:
    """The changes, with which of them strand a finished result, and its size."""
    seen: set[tuple[int, int]] = set()
    measured: list[IdChange] = []
    for each in changes:
        if each.old is not None and each.kind in (ChangeKind.ALTERED, ChangeKind.GONE):
            folders = [space.job(each.old) for space in workspaces if _is_done(space, each.old)]
            size = sum(folder_size(folder.root, seen) for folder in folders)
            each = replace(each, finished=bool(folders), size=size)  # noqa: PLW2901
        measured.append(each)
    return tuple(measured)


def _is_done(workspace: WorkspacePaths, key: JobKey) -> bool:
    try:
        return tickets.is_done(workspace.job(key))
    except (UnreadableError, FileNotFoundError):
        return False
