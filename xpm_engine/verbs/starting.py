"""Starting the processes of a retry: detached, each with a run of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from xpm_engine._version import __version__
from xpm_engine.errors import LaunchError, UnreadableError, UsageError
from xpm_engine.verbs.jobs.current import CurrentRuns
from xpm_engine.verbs.protection import check_may_change
from xpm_engine.verbs.retry import RetryJob, RetryPlan, homes
from xpm_engine.verbs.retry_outline import Role
from xpm_engine.workspace import processes, scan, tickets
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, is_name, is_retry
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.records.retry_order import RetryOrder
from xpm_engine.workspace.records.runs import RunRecord, Scope

HINT = "run the plan again, with the interpreter that it needs"

PATIENCE = 60.0
"""Seconds that a retry's process may take to begin its run."""


@dataclass(frozen=True)
class StartedRetry:
    """A retry's process that goes on by itself."""

    run: str
    """``experiment/run``."""
    pid: int
    jobs: tuple[JobKey, ...]


def start_retry(
    plan: RetryPlan, *, fallback: str | None = sys.executable
) -> tuple[StartedRetry, ...]:
    """Carry a plan out: a process and a run for each experiment that it has jobs of.

    What is presumed dead is recorded so first. `fallback` is the interpreter where the plan's own
    is gone; None where no other has the engine. Returns when the runs have begun. Raises UsageError
    for resources that can't be had here, LaunchError where no process can be started,
    StorageError.
    """
    check_may_change(plan.workspace)
    runs = CurrentRuns(plan.workspace)
    parts = [
        (experiment, jobs, record, _interpreter(record, fallback))
        for experiment, jobs in homes(plan, runs)
        for record in [_record_of(plan.workspace, experiment, jobs)]
    ]
    user = processes.user_name()
    for key in plan.presumed_dead:
        job = plan.workspace.job(key)
        attempt = tickets.last_attempt(job)
        if attempt is not None and attempt.end is None:
            tickets.assume_dead(job, attempt, user=user)
    return tuple(
        _start(plan.workspace, experiment, record, jobs, interpreter)
        for experiment, jobs, record, interpreter in parts
    )


def _start(
    workspace: WorkspacePaths,
    experiment: str,
    record: RunRecord | None,
    jobs: Sequence[RetryJob],
    interpreter: str,
) -> StartedRetry:
    order = RetryOrder(
        workspace=workspace.root,
        experiment=experiment,
        scope=Scope("") if record is None else record.scope,
        orders=tuple(job.order for job in jobs),
        again=tuple(job.key for job in jobs if job.role in (Role.AGAIN, Role.UPSTREAM)),
    )
    answer = _ask(interpreter, _environment(jobs), order)
    keys = tuple(job.key for job in jobs if job.role is not Role.FOLLOWED)
    return StartedRetry(str(answer["run"]), int(answer["pid"]), keys)


def _ask(interpreter: str, environment: dict[str, str], order: RetryOrder) -> dict[str, Any]:
    """Start a process, tell it the order, and wait until it says that its run has begun."""
    try:
        done = subprocess.run(
            [interpreter, "-P", "-m", "xpm_engine.plan.retry"],
            input=json.dumps(order.to_json()).encode("ascii"),
            capture_output=True,
            cwd=order.workspace,
            env=environment,
            timeout=PATIENCE,
            check=False,
        )
        answer: dict[str, Any] = json.loads(done.stdout or b"{}")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise LaunchError(f"a retry can't be started: {error}", where=interpreter) from error
    if "error" in answer:
        raise UsageError(**answer["error"])
    if "run" not in answer:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        text = said[-1] if said else f"it ended with code {done.returncode}"
        if "No module named" in text and "xpm_engine" in text:
            text = f"xpm-tui is not installed there, or older than {__version__}"
        raise LaunchError(f"a retry can't be started: {text}", where=interpreter, hint=HINT)
    return answer


def _record_of(
    workspace: WorkspacePaths, experiment: str, jobs: Sequence[RetryJob]
) -> RunRecord | None:
    """The record of the plan's run that these jobs belong to; None if it can't be read."""
    named = [job.run for job in jobs if job.run.startswith(f"{experiment}/")]
    names = [run.partition("/")[2] for run in named]
    runs = scan.list_runs(workspace, experiment) if is_name(experiment) else []
    for run in (*reversed(runs), *names):
        if is_name(run) and not is_retry(run):
            try:
                return scan.read_run_record(workspace.run(experiment, run))
            except (FileNotFoundError, UnreadableError):
                continue
    return None


def _interpreter(record: RunRecord | None, fallback: str | None) -> str:
    """The plan's own interpreter, which has the packages that its jobs need; else the other."""
    theirs = None if record is None else record.environment.get("executable")
    known = isinstance(theirs, str) and os.path.isabs(theirs)
    if known and os.access(str(theirs), os.X_OK):
        return str(theirs)
    if fallback is not None:
        return fallback
    what = "the interpreter of its plan is gone" if known else "nobody knows its plan's interpreter"
    where = str(theirs) if known else None
    raise LaunchError(f"a retry can't be started: {what}", where=where, hint=HINT)


def _environment(jobs: Sequence[RetryJob]) -> dict[str, str]:
    """This process's own; and modules of ours are found where the plan found them."""
    environment = {name: value for name, value in os.environ.items() if name != "XPM_NONCE"}
    folders = [folder for job in jobs[:1] for folder in _sources(job)]
    known = environment.get("PYTHONPATH", "").split(os.pathsep)
    paths = [*folders, *(path for path in known if path and path not in folders)]
    if paths:
        environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment


def _sources(job: RetryJob) -> list[str]:
    """Where the plan's process found the engine, if that was not installed."""
    code = ParamsRecord.from_json(job.order.params, str(job.key)).code
    found = [path for path in code.sys_path if os.path.isfile(f"{path}/xpm_engine/__init__.py")]
    return [path for path in found[:1] if "-packages" not in os.path.basename(path)]
