"""Workspaces for tests, written file by file through the records that the engine reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import append_bytes, dumps, make_folders, read_object, write_atomic
from xpm_engine.workspace.layout import JobKey, JobPaths, RunPaths, WorkspacePaths
from xpm_engine.workspace.records.fields import format_time
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.jobs import JobSummary, Progress, ProgressLevel
from xpm_engine.workspace.records.mirror import FarFile, Fetched, Mirror
from xpm_engine.workspace.records.reasons import Frame, Outcome, Reason, ReasonKind, Wait
from xpm_engine.workspace.records.runs import (
    How,
    PlanState,
    Queue,
    Reference,
    RunKind,
    RunRecord,
    Scope,
    end_line,
)
from xpm_engine.workspace.records.tickets import End, Launch, LaunchedBy, Start, Usage

NOON = 1_795_435_200.0
"""Monday, 23 November 2026, 12:00 UTC: when everything in these workspaces is looked at."""

DEAD = ProcessIdentity("gone", "gone", "", 4121, 1, processes.host_name())
"""A process of another boot of this machine: proved dead."""


def dead_process() -> ProcessIdentity:
    """One that lived here before the last boot."""
    return replace(processes.own_identity(), boot_id="before", pid=4121)


def ago(seconds: float) -> str:
    """A record's time, so long before noon."""
    return format_time(NOON - seconds)


def key_of(task: str, name: str) -> JobKey:
    """A job's key, the same for the same words."""
    return JobKey(task, hashlib.md5(f"{task} {name}".encode()).hexdigest())


@dataclass(frozen=True)
class FakeJob:
    """What a job is to look like."""

    task: str
    name: str
    tags: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    deps: tuple[JobKey, ...] = ()

    @property
    def key(self) -> JobKey:
        return key_of(self.task, self.name)


class FakeWorkspace:
    """A workspace that a test fills, without a plan and without a task."""

    def __init__(self, root: Path) -> None:
        self.paths = WorkspacePaths.at(root)

    # Jobs

    def launch(self, job: FakeJob, *, run: str = "", attempt: int = 1, at: float = 600) -> JobPaths:
        """Told to a launcher."""
        paths = self.paths.job(job.key)
        make_folders(paths.logs)
        launch = Launch(
            nonce=f"{attempt:032x}",
            key=job.key,
            attempt=attempt,
            by=LaunchedBy.PLAN,
            at=ago(at),
            driver=processes.own_identity(),
            run=run,
            dependencies=job.deps,
            tags=dict(job.tags),
        )
        write_atomic(paths.launch(attempt), dumps(launch.to_json()))
        return paths

    def start(
        self,
        job: FakeJob,
        *,
        run: str = "",
        attempt: int = 1,
        at: float = 540,
        by: ProcessIdentity | None = None,
        levels: Sequence[tuple[float, str]] = (),
    ) -> JobPaths:
        """Running, in this process unless `by` says otherwise."""
        paths = self.launch(job, run=run, attempt=attempt, at=at + 60)
        by = by or processes.own_identity()
        start = Start(f"{attempt + 100:032x}", f"{attempt:032x}", by, ago(at), "you")
        write_atomic(paths.start(attempt), dumps(start.to_json()))
        self._summary(job, paths, attempt=attempt, run=run, by=by, started=ago(at))
        if levels:
            self.progress(job, levels, attempt=attempt, seconds=at)
        return paths

    def progress(
        self,
        job: FakeJob,
        levels: Sequence[tuple[float, str]],
        *,
        attempt: int = 1,
        seconds: float = 540,
    ) -> None:
        """The task says how far it is, outermost level first."""
        paths = self.paths.job(job.key)
        parts = tuple(ProgressLevel(fraction, text) for fraction, text in levels)
        progress = Progress(attempt, ago(0), seconds, parts)
        write_atomic(paths.progress, dumps(progress.to_json()))

    def end(
        self,
        job: FakeJob,
        outcome: Outcome,
        *,
        run: str = "",
        attempt: int = 1,
        seconds: float = 840,
        ended: float = 300,
        reason: Reason | None = None,
        metrics: Mapping[str, float] | None = None,
        by: ProcessIdentity | None = None,
    ) -> JobPaths:
        """Over."""
        by = by or dead_process()
        paths = self.start(job, run=run, attempt=attempt, at=ended + seconds, by=by)
        usage = Usage(seconds, seconds * 0.9, 1_200_000_000)
        end = End(
            nonce=f"{attempt + 200:032x}",
            outcome=outcome,
            at=ago(ended),
            by=by,
            exit_code=0 if outcome is Outcome.DONE else 1,
            reason=reason,
            usage=usage,
            metrics=dict(metrics or {}),
        )
        write_atomic(paths.end(attempt), dumps(end.to_json()))
        self._summary(
            job, paths, attempt=attempt, run=run, by=by, started=ago(ended + seconds), end=end
        )
        return paths

    def done(self, job: FakeJob, **how: Any) -> JobPaths:
        """Done."""
        return self.end(job, Outcome.DONE, **how)

    def done_elsewhere(
        self, job: FakeJob, there: WorkspacePaths, files: Mapping[str, int], host: str = "alpha"
    ) -> JobPaths:
        """Done on a host, whose workspace is `there`: these files, so long, stayed there."""
        paths = self.done(job)
        start = Start.from_json(read_object(paths.start(1)), paths.start(1))
        copied = replace(start, mirror=Mirror(host, ago(300)))
        write_atomic(paths.start(1), dumps(copied.to_json()))
        root = there.job(job.key).root
        for name, size in files.items():
            make_folders(os.path.dirname(f"{root}/{name}"))
            Path(root, name).write_bytes(os.urandom(size))
        named = tuple(FarFile(name, size) for name, size in files.items())
        noted = Fetched(host, root, 0, len(files), sum(files.values()), named)
        write_atomic(paths.fetched, dumps(noted.to_json()))
        return paths

    def failed(self, job: FakeJob, what: str = "out of memory", **how: Any) -> JobPaths:
        """Failed with an exception, in line 88 of train.py."""
        frame = Frame("/home/you/ir/train.py", 88, "step", "loss = self.model(batch).mean()")
        reason = Reason(ReasonKind.EXCEPTION, what, "torch.OutOfMemoryError", frame)
        return self.end(job, Outcome.FAILED, reason=reason, **how)

    def log(self, job: FakeJob, text: str, *, stream: str = "out", attempt: int = 1) -> None:
        """Something that the task printed."""
        path = f"{self.paths.job(job.key).logs}/{attempt}.{stream}"
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
        os.utime(path, (NOON - 2, NOON - 2))

    def _summary(
        self,
        job: FakeJob,
        paths: JobPaths,
        *,
        attempt: int,
        run: str,
        by: ProcessIdentity,
        started: str,
        end: End | None = None,
    ) -> None:
        summary = JobSummary(
            key=job.key,
            attempt=attempt,
            outcome=None if end is None else end.outcome,
            run=run,
            started=started,
            user="you",
            supervisor=by,
            ended=None if end is None else end.at,
            exit_code=None if end is None else end.exit_code,
            reason=None if end is None else end.reason,
            usage=None if end is None else end.usage,
            metrics={} if end is None else end.metrics,
            tags=dict(job.tags),
            params=dict(job.params),
            dependencies=job.deps,
        )
        write_atomic(paths.summary, dumps(summary.to_json()))

    # Runs

    def run(
        self,
        experiment: str,
        jobs: Sequence[FakeJob],
        *,
        run: str = "20261123-091200",
        plan: PlanState = PlanState.RUNNING,
        started: float = 10_080,
        ended: float | None = None,
        reused: Sequence[FakeJob] = (),
        waits: Sequence[Wait] = (),
        driver: ProcessIdentity | None = None,
        drift: Mapping[JobKey, tuple[str, ...]] | None = None,
        error: str | None = None,
    ) -> RunPaths:
        """A run that references these jobs; one that runs is driven by this process."""
        paths = self.paths.run(experiment, run)
        make_folders(paths.root)
        record = RunRecord(
            experiment=experiment,
            run=run,
            scope=Scope("plan.py", (("seed", "1,2,3"),), ("plan.py", "seed=1,2,3")),
            plan=plan,
            kind=RunKind.PLAN,
            driver=driver or processes.own_identity(),
            user="you",
            started=ago(started),
            ended=None if ended is None else ago(ended),
            error=error,
        )
        write_atomic(paths.record, dumps(record.to_json()))
        self.reference(paths, jobs, reused=reused, started=started, drift=drift)
        if plan is not PlanState.RUNNING:
            append_bytes(paths.manifest, dumps(end_line(len(jobs))) + b"\n")
        self.queue(paths, waits)
        link = self.paths.latest(experiment)
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(run, link)
        return paths

    def reference(
        self,
        paths: RunPaths,
        jobs: Sequence[FakeJob],
        *,
        reused: Sequence[FakeJob] = (),
        started: float = 10_080,
        drift: Mapping[JobKey, tuple[str, ...]] | None = None,
    ) -> None:
        """The plan submits more jobs."""
        lines = b""
        for job in jobs:
            reference = Reference(
                key=job.key,
                how=How.REUSED if job in reused else How.NEW,
                at=ago(started),
                tags=dict(job.tags),
                params=dict(job.params),
                dependencies=job.deps,
                drift=(drift or {}).get(job.key, ()),
            )
            lines += dumps(reference.to_json()) + b"\n"
        with open(paths.manifest, "ab") as file:
            file.write(lines)

    def queue(self, paths: RunPaths, waits: Sequence[Wait]) -> None:
        """Why jobs wait."""
        write_atomic(paths.queue, dumps(Queue(ago(0), tuple(waits)).to_json()))


def call_off(paths: JobPaths) -> None:
    """See to it that the attempt that was ordered never starts."""
    attempt = tickets.last_attempt(paths)
    assert attempt is not None
    assert tickets.void(paths, attempt, user="you", why="called off")


def grid(workspace: FakeWorkspace) -> dict[str, FakeJob]:
    """The workspace of the pictures: `drmm` runs, `ablation` is over; returns its jobs by name."""
    from xpm_engine.workspace.records.reasons import WaitKind

    jobs: dict[str, FakeJob] = {}
    index = [FakeJob("ir.index", f"i{n}", {"stem": stem}) for n, stem in enumerate("ab")]
    learn = [
        FakeJob(
            "ir.learn",
            f"lr={lr} seed={seed}",
            {"ranker": "drmm", "lr": lr, "seed": seed},
            {"trainer.optimizer.lr": lr, "seed": seed},
            (index[0].key,),
        )
        for lr in (0.1, 0.01, 0.001)
        for seed in (1, 2, 3)
    ]
    evaluate = [
        FakeJob("ir.evaluate", f"of {job.name}", job.tags, job.params, (job.key,)) for job in learn
    ]
    old = [FakeJob("ir.old", f"o{n}", {"depth": n}) for n in range(5)]
    for number, job in enumerate([*index, *learn, *evaluate, *old]):
        jobs[f"{job.task.rpartition('.')[2]}{number}"] = job
        jobs[f"{job.task.rpartition('.')[2]} {job.name}"] = job
    drmm = "drmm/20261123-091200"
    for job in index:
        workspace.done(job, run=drmm, ended=9_000)
    for job in learn[:2]:
        workspace.failed(job, run=drmm, seconds=240, ended=3_600)
    workspace.end(
        learn[2],
        Outcome.DIED,
        run=drmm,
        seconds=360,
        ended=3_000,
        reason=Reason(ReasonKind.NO_EXIT_RECORD, "no exit record, and process 4980 is gone"),
    )
    for job, fraction in zip(learn[3:6], (0.61, 0.58, 0.12), strict=True):
        text = f"epoch {int(fraction * 5) + 1}/5"
        workspace.start(job, run=drmm, levels=[(fraction, text), (0.5, "batch 812/1400")])
        workspace.log(job, "WARNING grad norm 12.4 clipped\n" * 20, stream="err")
        workspace.log(job, "epoch 3 batch 812 loss 0.4127\n" * 900)
    workspace.done(learn[8], run=drmm, ended=8_000, metrics={"mrr": 0.312})
    workspace.done(evaluate[8], run=drmm, ended=7_000, metrics={"mrr": 0.312})
    waits = [
        Wait(learn[6].key, WaitKind.CORE, 1, used=4, total=4),
        Wait(learn[7].key, WaitKind.TOKEN, 2, (learn[3].key,), "gpu", used=1, total=1),
        *(Wait(job.key, WaitKind.UPSTREAM_FAILED, on=job.deps) for job in evaluate[:3]),
        *(Wait(job.key, WaitKind.DEPENDENCY, on=job.deps) for job in evaluate[3:8]),
    ]
    workspace.run("drmm", [*index, *learn, *evaluate], reused=index, waits=waits)
    workspace.run(
        "drmm",
        [*index, *learn[:3]],
        run="20261120-101500",
        plan=PlanState.COMPLETE,
        started=265_000,
        ended=260_000,
    )
    for number, job in enumerate(old):
        if number:
            workspace.done(job, run="ablation/20261103-101500", ended=1_720_000)
        else:
            workspace.failed(job, "empty batch", run="ablation/20261103-101500", ended=1_730_000)
    workspace.run(
        "ablation",
        old,
        run="20261103-101500",
        plan=PlanState.COMPLETE,
        started=1_740_000,
        ended=1_720_000,
    )
    return jobs
