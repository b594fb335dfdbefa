"""A run's folder as a frozen record: run.json, its manifest, and what its jobs wait for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.layout import (
    RunPaths,
    WorkspacePaths,
)
from xpm_engine.workspace.records.orders import OrderLines
from xpm_engine.workspace.records.reasons import WaitKind
from xpm_engine.workspace.records.runs import (
    Manifest,
    PlanState,
    Queue,
    RunRecord,
    parse_manifest,
)
from xpm_engine.workspace.scan.dead import Dead, dead_here


@dataclass(frozen=True)
class RunView:
    """One run of an experiment, as far as it can be read."""

    experiment: str
    run: str
    record: RunRecord | None
    manifest: Manifest
    queue: Queue | None
    plan: PlanState | None
    """As stored, or `crashed` where the driver is proved dead; None if run.json is unreadable."""
    problem: str = ""
    """What could not be read, with the file's name; empty if all could."""

    @property
    def live(self) -> bool:
        """Whether a driver may still be adding to it."""
        return self.plan is PlanState.RUNNING


def read_run(
    workspace: WorkspacePaths,
    experiment: str,
    run: str,
    *,
    manifest: Manifest | None = None,
    dead: Dead | None = None,
) -> RunView:
    """One run, with its manifest and what its jobs wait for.

    A `manifest` that was read before, and has not changed since, is not read again. `dead` tells
    of its driver, where that is not a process of this machine.
    """
    paths = workspace.run(experiment, run)
    problem = ""
    record = None
    try:
        record = read_run_record(paths)
    except FileNotFoundError:
        problem = f"{paths.record}: is missing"
    except UnreadableError as error:
        problem = f"{error.where}: {error.what}"
    if manifest is None:
        manifest = read_manifest(paths)
    if manifest.damage:
        problem = problem or f"{paths.manifest}: {manifest.damage[0]}"
    plan = None if record is None else plan_state(record, dead=dead)
    if not manifest.ended and plan not in (None, PlanState.RUNNING, PlanState.CRASHED):
        problem = problem or f"{paths.manifest}: ends without its closing line"
    queue = _read_queue(paths, live=plan is PlanState.RUNNING)
    return RunView(experiment, run, record, manifest, queue, plan, problem)


def read_run_record(paths: RunPaths) -> RunRecord:
    """``run.json`` of a run; raises FileNotFoundError, UnreadableError."""
    return RunRecord.from_json(read_object(paths.record), paths.record)


def read_manifest(paths: RunPaths) -> Manifest:
    """What a run referenced; an absent file is an empty manifest that has not ended."""
    try:
        with open(paths.manifest, "rb") as file:
            return parse_manifest(file.read(), paths.manifest)
    except FileNotFoundError:
        return Manifest((), ended=False)
    except OSError as error:
        return Manifest((), ended=False, damage=(f"can't be read: {error.strerror}",))


def plan_state(record: RunRecord, *, dead: Dead | None = None) -> PlanState:
    """How far a plan came: as stored, or `crashed` where its driver is proved dead."""
    if record.plan is PlanState.RUNNING and (dead or dead_here)(record.driver):
        return PlanState.CRASHED
    return record.plan


def read_orders(paths: RunPaths) -> OrderLines:
    """The orders that a run kept; none where the file is absent or can't be read."""
    try:
        with open(paths.orders, "rb") as file:
            return OrderLines(file.read(), paths.orders)
    except OSError:
        return OrderLines(b"", paths.orders)


def _read_queue(paths: RunPaths, *, live: bool) -> Queue | None:
    """Why jobs wait; of a run that is over only the blocked ones: nothing else waits any more."""
    try:
        queue = Queue.from_json(read_object(paths.queue), paths.queue)
    except (FileNotFoundError, UnreadableError):
        return None
    if live:
        return queue
    blocked = tuple(wait for wait in queue.waits if wait.kind is WaitKind.UPSTREAM_FAILED)
    return replace(queue, waits=blocked)
