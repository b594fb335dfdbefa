"""Plans that are hurt while they run, and what must hold of them afterwards, whatever was done.

Their tasks keep a ledger of what was executed: a line when a task begins and one when it ends,
with the nonce of the attempt. While it executes a task holds a lock that the kernel frees with it,
so that two executions at a time would be seen and not guessed.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field

from tests.engine.projects import Project
from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.pool.folder import open_folder
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome, ReasonKind
from xpm_engine.workspace.records.tickets import Attempt

TASKS = """
import fcntl


class Job(Task):
    number: Param[int]
    after: Param[list[Task]] = []
    seconds: Option[float] = 0.02

    def execute(self) -> None:
        nonce = os.environ["XPM_NONCE"]
        held = open(LEDGER.with_name(f"held-{self.number}"), "a")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(f"overlap {self.number} {nonce}")
        note(f"begin {self.number} {nonce}")
        time.sleep(self.seconds)
        note(f"end {self.number} {nonce}")

"""


def attempts(project: Project) -> dict[JobKey, list[Attempt]]:
    """Every attempt of every job that was claimed, in order."""
    found: dict[JobKey, list[Attempt]] = {}
    for key in scan.list_jobs(project.workspace):
        job = project.workspace.job(key)
        names = tickets.ticket_names(job)
        found[key] = [tickets.read_attempt(job, n, names[n]) for n in sorted(names)]
    return found


def check_run_once(project: Project, *, lost_folders: bool = False) -> None:
    """No overlap, no attempt twice, nothing after done, and only what is done at the end.

    With `lost_folders` somebody has removed what would tell of earlier attempts.
    """
    lines = [line.split() for line in project.ledger()]
    assert [line for line in lines if line[0] == "overlap"] == []
    begun = [nonce for what, _, nonce in lines if what == "begin"]
    assert max(Counter(begun).values(), default=1) == 1, "an attempt was executed twice"
    known: dict[str, Attempt] = {}
    for key, story in attempts(project).items():
        counted = [attempt for attempt in story if not attempt.void]
        assert all(attempt.end is not None for attempt in counted), f"{key} never ended"
        done = [a for a in counted if a.end is not None and a.end.outcome is Outcome.DONE]
        assert done == counted[-1:], f"{key}: done is not its one last attempt"
        known.update((attempt.launch.nonce, attempt) for attempt in story)
        for attempt in story:
            executed = attempt.launch.nonce in begun
            assert not (attempt.void and executed), f"{key}: a void attempt was executed"
    assert lost_folders or set(begun) <= set(known), "something was executed that nobody ordered"


def check_settled(project: Project) -> None:
    """Nothing of it lives, and nothing is held of the machine's pool."""
    project.wait_for(lambda: not living(project))
    project.wait_for(lambda: open_folder().listing()[0] == [])


def check_reasons(project: Project, killed: list[ProcessIdentity]) -> None:
    """Every attempt that ended badly says what was really done to it."""
    pids = {process.pid for process in killed}
    for key, story in attempts(project).items():
        for attempt in story:
            end = attempt.end
            if end is None or end.outcome in (Outcome.DONE, Outcome.VOID):
                continue
            assert end.reason is not None
            assert attempt.start is not None
            if end.outcome is Outcome.DIED:
                assert end.reason.kind is ReasonKind.NO_EXIT_RECORD, f"{key}: {end.reason}"
                assert attempt.start.by.pid in pids, f"{key}: said to have died, and was not killed"
            else:
                assert end.reason.kind is ReasonKind.SIGNAL, f"{key}: {end.reason}"
                assert end.signal == signal.SIGKILL


@dataclass(frozen=True)
class Running:
    """An attempt that has started, and its processes, as the folder tells them."""

    end: str
    """Where its end will be recorded."""
    supervisor: ProcessIdentity
    task: ProcessIdentity | None

    def alive(self) -> list[ProcessIdentity]:
        """Those of the two that are alive."""
        both = (self.supervisor, self.task)
        return [p for p in both if p is not None and processes.liveness(p) is Liveness.ALIVE]

    def check(self) -> None:
        """What is said to be over does not live."""
        if os.path.exists(self.end) and self.task is not None:
            assert processes.liveness(self.task) is Liveness.DEAD, f"{self.end}, and it lives"


def living(project: Project) -> list[ProcessIdentity]:
    """The supervisors and tasks of this project that are alive."""
    return [process for each in running(project) for process in each.alive()]


def running(project: Project) -> list[Running]:
    """The newest attempts that have started, whatever became of them."""
    found: list[Running] = []
    for key in scan.list_jobs(project.workspace):
        job = project.workspace.job(key)
        try:
            newest = tickets.newest_attempt(job)
        except (FileNotFoundError, UnreadableError):
            continue
        if newest is None or newest.start is None or newest.start.void:
            continue
        summary = tickets.read_summary(job)
        task = summary.task if summary is not None and summary.attempt == newest.number else None
        found.append(Running(job.end(newest.number), newest.start.by, task))
    return found


@dataclass
class Victims:
    """What can be killed of a running plan, and what was."""

    project: Project
    killed: list[ProcessIdentity] = field(default_factory=list)

    def helper_of(self, plan: subprocess.Popen[str]) -> ProcessIdentity | None:
        """The warm helper of a plan, once it has become one."""
        for pid in _children(plan.pid):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if b"xpm_engine.runtime.warm" in file.read():
                        return processes.identity_of(pid)
            except OSError:
                continue
        return None

    def kill(self, *victims: ProcessIdentity | None) -> None:
        """SIGKILL those that are alive."""
        for victim in victims:
            if victim is not None and processes.send_signal(victim, signal.SIGKILL):
                self.killed.append(victim)

    def everything_of(self, plan: subprocess.Popen[str]) -> list[ProcessIdentity]:
        """The plan, its helper, and all supervisors and tasks, forked just now as well."""
        helper = self.helper_of(plan)
        pids = [plan.pid] if helper is None else [plan.pid, helper.pid, *_children(helper.pid)]
        found = [processes.identity_of(pid) for pid in pids]
        return [process for process in found if process is not None] + living(self.project)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found.extend(int(child) for child in file.read().split())
    except OSError:
        pass
    return found
