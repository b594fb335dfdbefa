"""Which runs and jobs need a job's folder right now."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import JobKey, RunPaths, WorkspacePaths
from xpm_engine.workspace.records.runs import Manifest, PlanState, parse_manifest

RunName = tuple[str, str]
"""An experiment and one of its runs."""


class NeedKind(Enum):
    """What needs a folder."""

    JOB = "job"
    """A job made from its result."""
    ALIAS = "alias"
    """A job that adopted its result under a new name."""
    RUN = "run"
    """A run that goes on."""
    LATEST = "latest run"
    """A run that has ended, and that no later one has replaced."""
    PIN = "pin"
    """A person who pinned it."""
    ITSELF = "itself"
    """It has not ended."""
    UNKNOWN = "unknown"
    """A manifest that can't be read, of a run that may go on."""


@dataclass(frozen=True)
class Need:
    """Somebody who needs a job's folder."""

    kind: NeedKind
    name: str
    """``task/identifier``, ``experiment/run``, what can't be read, or a word."""
    job: JobKey | None = None
    """The job that needs it; None unless it is one."""
    live: bool = False
    """Whether it is needed at this moment, so that the folder must stay."""

    def __str__(self) -> str:
        if self.kind is NeedKind.RUN:
            return f"run {self.name} goes on and needs it"
        if self.kind is NeedKind.LATEST:
            return f"run {self.name} uses it"
        if self.kind is NeedKind.PIN:
            return "it is pinned"
        if self.kind is NeedKind.ITSELF:
            return "it has not ended"
        if self.kind is NeedKind.UNKNOWN:
            return f"a run that may go on can't be read: {self.name}"
        if self.kind is NeedKind.ALIAS:
            return f"{self.name} is its new name, and has no result of its own"
        if self.live:
            return f"{self.name} is made from it and has not ended"
        return f"{self.name} is made from it"


@dataclass(frozen=True)
class _Seen:
    """A manifest as it was read, and of which file."""

    stamp: tuple[int, int, int]
    manifest: Manifest


class RunWatch:
    """Tells which runs need jobs, again and again while a plan is carried out.

    A run that was `over` when the plan was made is not looked at again; one that ended since then
    needs what it references like one that goes on. A manifest is parsed again only where its file
    changed. The file is opened before it is compared: on a network file system
    that is what asks the server.
    """

    def __init__(self, workspace: WorkspacePaths, *, over: Collection[RunName] = ()) -> None:
        self._workspace = workspace
        self._over = frozenset(over)
        self._seen: dict[RunName, _Seen] = {}

    def needs(self, keys: Collection[JobKey]) -> dict[JobKey, Need]:
        """Those of `keys` that must stay, each with who needs it at this moment."""
        wanted = frozenset(keys)
        unseen = next(scan.unseen_runs(self._workspace), None)
        if unseen is not None:
            return dict.fromkeys(wanted, Need(NeedKind.UNKNOWN, unseen, live=True))
        found: dict[JobKey, Need] = {}
        for name in _run_names(self._workspace):
            if name in self._over:
                continue
            # The record first: a run that is over by then wrote its whole manifest before.
            kind = NeedKind.LATEST if is_over(self._workspace.run(*name)) else NeedKind.RUN
            manifest = self._manifest(name)
            if kind is NeedKind.LATEST:
                found.update(_survivors(self._workspace, manifest, wanted))
            found.update(_run_needs(name, kind, manifest, wanted))
        return found

    def _manifest(self, name: RunName) -> Manifest:
        paths = self._workspace.run(*name)
        try:
            with open(paths.manifest, "rb") as file:
                status = os.fstat(file.fileno())
                stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
                seen = self._seen.get(name)
                if seen is not None and seen.stamp == stamp:
                    return seen.manifest
                manifest = parse_manifest(file.read(), paths.manifest)
        except FileNotFoundError:
            return Manifest((), ended=False)
        except OSError as error:
            return Manifest((), ended=False, damage=(f"can't be read: {error.strerror}",))
        self._seen[name] = _Seen(stamp, manifest)
        return manifest


def runs_over(workspace: WorkspacePaths) -> frozenset[RunName]:
    """The runs whose plan has ended, or whose driver is proved dead: they reference no new job."""
    return frozenset(name for name in _run_names(workspace) if is_over(workspace.run(*name)))


def is_over(paths: RunPaths) -> bool:
    """Whether a run has ended for certain; what can't be read or proved may go on."""
    try:
        record = scan.read_run_record(paths)
    except (FileNotFoundError, UnreadableError):
        return False
    return scan.plan_state(record) is not PlanState.RUNNING


def standing_needs(
    keys: Collection[JobKey], records: Mapping[JobKey, scan.JobRecord]
) -> dict[JobKey, list[Need]]:
    """For each of `keys`: the standing jobs that were made from it or adopted its result.

    What was made from an adopted result was made from the job that it was adopted from.
    """
    wanted = frozenset(keys)
    found: dict[JobKey, list[Need]] = {}
    adopted = {key: record.alias for key, record in records.items() if record.alias is not None}
    for key, record in records.items():
        for dependency in _with_adopted(record.dependencies, adopted) & wanted:
            need = Need(NeedKind.JOB, str(key), key, live=record.state.live)
            found.setdefault(dependency, []).append(need)
        if record.alias is not None and record.alias in wanted:
            found.setdefault(record.alias, []).append(Need(NeedKind.ALIAS, str(key), key))
    return found


def _run_needs(
    name: RunName, kind: NeedKind, manifest: Manifest, wanted: frozenset[JobKey]
) -> dict[JobKey, Need]:
    if manifest.damage:
        need = Need(NeedKind.UNKNOWN, f"{'/'.join(name)}: {manifest.damage[0]}", live=True)
        return dict.fromkeys(wanted, need)
    if kind is NeedKind.LATEST and not manifest.ended:
        # It is over, so that what is missing was lost.
        what = f"{'/'.join(name)}: jobs.jsonl ends without its closing line"
        return dict.fromkeys(wanted, Need(NeedKind.UNKNOWN, what, live=True))
    need = Need(kind, "/".join(name), live=True)
    referenced = {key for line in manifest.references for key in (line.key, line.alias)}
    if kind is NeedKind.RUN:
        # A retry names what it runs again, and not what that is made from.
        adopted = _adopted(manifest)
        for line in manifest.references:
            referenced |= _with_adopted(line.dependencies, adopted)
    return {key: need for key in wanted if key in referenced}


def _survivors(
    workspace: WorkspacePaths, manifest: Manifest, wanted: frozenset[JobKey]
) -> dict[JobKey, Need]:
    """Jobs that a run left behind: jobs outlive their plan."""
    found: dict[JobKey, Need] = {}
    adopted = _adopted(manifest)
    for line in manifest.references:
        needed = _with_adopted(line.dependencies, adopted) & wanted
        if needed and scan.read_job(workspace, line.key).state.live:
            need = Need(NeedKind.JOB, str(line.key), line.key, live=True)
            found.update(dict.fromkeys(needed, need))
    return found


def _adopted(manifest: Manifest) -> dict[JobKey, JobKey]:
    return {line.key: line.alias for line in manifest.references if line.alias is not None}


def _with_adopted(
    dependencies: Iterable[JobKey], adopted: Mapping[JobKey, JobKey]
) -> frozenset[JobKey]:
    direct = frozenset(dependencies)
    if not adopted:
        return direct
    return direct | {adopted[key] for key in direct if key in adopted}


def _run_names(workspace: WorkspacePaths) -> Iterator[RunName]:
    for experiment in scan.list_experiments(workspace):
        for run in scan.list_runs(workspace, experiment):
            yield experiment, run
