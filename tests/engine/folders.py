"""Jobs and runs on the disk for tests, and pictures of folders to compare."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from typing import Any

from tests.engine.making import end, launch, start
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import append_bytes, dumps, make_folders, write_atomic
from xpm_engine.workspace.layout import JobKey, JobPaths, RunPaths, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.jobs import JobSummary
from xpm_engine.workspace.records.reasons import Outcome, Reason
from xpm_engine.workspace.records.runs import (
    How,
    JobsState,
    PlanState,
    Reference,
    RunKind,
    RunRecord,
    Scope,
    end_line,
)
from xpm_engine.workspace.records.tickets import Usage


def key(number: int, task: str = "ir.bm25") -> JobKey:
    """A job's name, by a small number."""
    return JobKey(task, f"{number:032x}")


def make_job(
    workspace: WorkspacePaths,
    name: JobKey,
    *,
    outcome: Outcome | None = Outcome.DONE,
    dependencies: Sequence[JobKey] = (),
    tags: dict[str, Any] | None = None,
    reason: Reason | None = None,
    by: ProcessIdentity | None = None,
    attempt: int = 1,
    params: dict[str, Any] | None = None,
) -> JobPaths:
    """A job's folder after one attempt, or, without an outcome, in the middle of it."""
    job = workspace.job(name)
    by = by or processes.own_identity()
    order = launch(
        name, attempt, dependencies=tuple(dependencies), tags=tags or {}, params=params or {}
    )
    tickets.claim_launch(job, order)
    with open(job.lock, "w", encoding="ascii"):
        pass
    begun = start(by, launch=order.nonce)
    tickets.claim_start(job, attempt, begun)
    make_folders(job.logs)
    for path, text in ((job.stdout(attempt), "out\n"), (job.stderr(attempt), "err\n")):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    os.symlink(os.path.relpath(job.stdout(attempt), job.root), job.stdout_link)
    with open(f"{job.root}/result.txt", "w", encoding="ascii") as file:
        file.write(f"result of {name}\n")
    over = None if outcome is None else end(outcome, reason=reason, usage=Usage(2.0, 1.0, 1000))
    if over is not None:
        tickets.record_end(job, attempt, over)
    summary = JobSummary(
        key=name,
        attempt=attempt,
        outcome=outcome,
        run=order.run,
        started=begun.at,
        user="ada",
        supervisor=by,
        ended=None if over is None else over.at,
        reason=reason,
        usage=None if over is None else over.usage,
        tags=tags or {},
        dependencies=tuple(dependencies),
    )
    write_atomic(job.summary, dumps(summary.to_json()))
    return job


def make_run(
    workspace: WorkspacePaths,
    references: Iterable[Reference],
    *,
    experiment: str = "drmm",
    run: str = "20261123-091200-ab12",
    plan: PlanState = PlanState.COMPLETE,
    driver: ProcessIdentity | None = None,
) -> RunPaths:
    """A run that references these jobs; it goes on, by this process, if it says running."""
    paths = workspace.run(experiment, run)
    make_folders(paths.root)
    live = plan is PlanState.RUNNING
    record = RunRecord(
        experiment=experiment,
        run=run,
        scope=Scope("/project/plan.py"),
        plan=plan,
        kind=RunKind.PLAN,
        driver=driver or processes.own_identity(),
        user="ada",
        started=now(),
        ended=None if live else now(),
        jobs=None if live else JobsState.OK,
    )
    write_atomic(paths.record, dumps(record.to_json()))
    lines = [dumps(line.to_json()) for line in references]
    if not live:
        lines.append(dumps(end_line(len(lines))))
    append_bytes(paths.manifest, b"".join(line + b"\n" for line in lines))
    return paths


def reference(
    name: JobKey, *, dependencies: Sequence[JobKey] = (), tags: dict[str, Any] | None = None
) -> Reference:
    """A line of a manifest."""
    return Reference(name, How.NEW, now(), tags=tags or {}, dependencies=tuple(dependencies))


def picture(root: str) -> dict[str, tuple[Any, ...]]:
    """All that stands in a folder: kind, mode, time, and content or target of each entry.

    The tickets of attempts that were voided, and the time of the folder that holds them, are left
    out: they are what a clean that was undone leaves.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for folder, names, files in os.walk(root):
        for name in (*names, *files):
            path = os.path.join(folder, name)
            if not _is_void_ticket(path):
                found[os.path.relpath(path, root)] = _entry(path)
    found["."] = _entry(root)
    return found


def _entry(path: str) -> tuple[Any, ...]:
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return ("link", os.readlink(path), status.st_mtime_ns)
    if stat.S_ISDIR(status.st_mode):
        time = 0 if os.path.basename(path) == ".xpm" else status.st_mtime_ns
        return ("folder", stat.S_IMODE(status.st_mode), time)
    with open(path, "rb") as file:
        content = file.read()
    return ("file", stat.S_IMODE(status.st_mode), status.st_mtime_ns, content)


def _is_void_ticket(path: str) -> bool:
    folder, name = os.path.split(path)
    number, _, kind = name.partition(".")
    if os.path.basename(folder) != ".xpm" or kind not in ("launch", "start", "end"):
        return False
    job = JobPaths(os.path.dirname(folder))
    names = tickets.ticket_names(job)[int(number)]
    return (
        names == {"launch", "start", "end"} and tickets.read_attempt(job, int(number), names).void
    )
