"""Stopping jobs, and naming the plan that would start the next ones."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum

from xpm_engine.errors import RemoteError, UnreadableError, UsageError, XpmError
from xpm_engine.verbs.far import host_of, reached, settings_of
from xpm_engine.verbs.protection import changing
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.tickets import Attempt, LaunchedBy

KILLABLE = frozenset((JobState.QUEUED, JobState.RUNNING, JobState.UNREACHABLE))
"""The states that a filter is taken to mean; other jobs have nothing to kill."""


class Killed(Enum):
    """What an order to kill a job came to."""

    ASKED = "asked to stop"
    """Its supervisor was signalled: it lets the task save, ends it after 10 s, and records that."""
    CANCELLED = "cancelled before it started"
    NOT_LIVE = "was not running"
    ELSEWHERE = "runs where it can't be reached from here"
    GONE = "was dead already; its end is recorded now"
    CLEANING = "is being cleaned"
    UNREADABLE = "can't be read"


@dataclass(frozen=True)
class LivePlan:
    """A plan that goes on, and references a job."""

    experiment: str
    run: str
    driver: ProcessIdentity

    def __str__(self) -> str:
        return f"{self.experiment}/{self.run} (process {self.driver.pid} on {self.driver.host})"


@dataclass(frozen=True)
class KillReport:
    """What became of one job."""

    key: JobKey
    killed: Killed
    detail: str = ""
    """What more there is to say: the machine it runs on, the file that can't be read."""


@changing
def kill_job(workspace: WorkspacePaths, key: JobKey) -> KillReport:
    """Ask a running job to stop, or make sure that a queued one never starts.

    The supervisor is checked to be the very process that started the job before it is signalled,
    forwards the signal to the task's whole group, and ends it after its time to save. Raises
    StorageError where a queued job can't be cancelled.
    """
    job = workspace.job(key)
    try:
        attempt = tickets.last_attempt(job)
    except UnreadableError as error:
        return KillReport(key, Killed.UNREADABLE, f"{error.where}: {error.what}")
    except FileNotFoundError:
        return KillReport(key, Killed.NOT_LIVE)
    if attempt is None or attempt.end is not None:
        return KillReport(key, Killed.NOT_LIVE)
    if attempt.launch.by is LaunchedBy.CLEAN:
        return KillReport(key, Killed.CLEANING)
    far = host_of(job, attempt)
    if far is not None:
        return _kill_far(workspace, job, attempt, far)
    if attempt.start is None:
        user = processes.user_name()
        if tickets.void(job, attempt, user=user, why=f"cancelled by {user} before it started"):
            return KillReport(key, Killed.CANCELLED)
        attempt = tickets.read_attempt(job, attempt.number, {"launch", "start"})
    return _kill_running(workspace, key, attempt)


def kill_words(workspace: WorkspacePaths, key: JobKey) -> str:
    """Kill a job, and say what came of it, an error included."""
    try:
        report = kill_job(workspace, key)
    except XpmError as error:
        return error.what
    detail = f" ({report.detail})" if report.killed is Killed.ELSEWHERE else ""
    return report.killed.value + detail


def live_plans(workspace: WorkspacePaths, keys: frozenset[JobKey]) -> tuple[LivePlan, ...]:
    """The plans that go on and reference one of these jobs: they start the next ones."""
    found: list[LivePlan] = []
    for experiment in scan.list_experiments(workspace):
        for run in reversed(scan.list_runs(workspace, experiment)):
            paths = workspace.run(experiment, run)
            try:
                record = scan.read_run_record(paths)
            except (FileNotFoundError, UnreadableError):
                continue
            if scan.plan_state(record) is not PlanState.RUNNING:
                continue
            manifest = scan.read_manifest(paths)
            if any(line.key in keys for line in manifest.references):
                found.append(LivePlan(experiment, run, record.driver))
    return tuple(found)


@changing
def stop_plan(_: WorkspacePaths, plan: LivePlan) -> bool:
    """Have a plan start nothing more, and leave its jobs; False if it can't be reached.

    By SIGTERM: a plan that was started in the background by a shell ignores SIGINT.
    """
    return processes.send_signal(plan.driver, signal.SIGTERM)


def _kill_running(workspace: WorkspacePaths, key: JobKey, attempt: Attempt) -> KillReport:
    start = attempt.start
    if start is None or start.void:
        return KillReport(key, Killed.NOT_LIVE)
    if processes.send_signal(start.by, signal.SIGTERM):
        return KillReport(key, Killed.ASKED)
    if processes.liveness(start.by) is Liveness.UNKNOWN:
        return KillReport(key, Killed.ELSEWHERE, f"process {start.by.pid} on {start.by.host}")
    job = workspace.job(key)
    if tickets.proved_dead(job, attempt):
        tickets.reap(job, attempt)
        return KillReport(key, Killed.GONE)
    return KillReport(key, Killed.NOT_LIVE)


def _kill_far(
    workspace: WorkspacePaths, job: JobPaths, attempt: Attempt, far: MirrorState
) -> KillReport:
    """Ask the host that has it; it is cancelled here when it is there."""
    key, user = attempt.launch.key, processes.user_name()
    try:
        with reached(settings_of(workspace, far.of)) as (connection, there):
            if attempt.start is None and not far.attempt:
                why = f"cancelled by {user} before it started"
                order = attempt.launch.to_json()
                answer = connection.ask("void", root=there.root, launch=order, user=user, why=why)
                if answer["state"] == "void" and tickets.void(job, attempt, user=user, why=why):
                    return KillReport(key, Killed.CANCELLED)
                number = answer.get("attempt", 0)
            else:
                number = far.attempt or attempt.number
            asked = [[str(key), number]]
            (told,) = connection.ask("kill", root=there.root, jobs=asked, user=user)["killed"]
    except (RemoteError, UsageError) as error:
        return KillReport(key, Killed.ELSEWHERE, f"on {far.of}: {error.what}")
    return KillReport(key, _TOLD.get(told, Killed.NOT_LIVE), f"on {far.of}")


_TOLD = {
    "asked": Killed.ASKED,
    "cancelled": Killed.CANCELLED,
    "gone": Killed.GONE,
    "elsewhere": Killed.ELSEWHERE,
}
