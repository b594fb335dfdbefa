"""Big workspaces, written file by file through the records: for benchmarks, and tests at size.

``python -m tests.big_workspace FOLDER --jobs 10000`` writes one. The same seed writes the same
jobs. What runs belongs to the process that made it, and so is dead as soon as that has ended.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from random import Random

from xpm_engine.workspace import processes
from xpm_engine.workspace.atomic import dumps
from xpm_engine.workspace.layout import XPM, JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.records.fields import format_time
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.jobs import JobSummary, Progress, ProgressLevel
from xpm_engine.workspace.records.reasons import (
    Frame,
    Outcome,
    Reason,
    ReasonKind,
    Wait,
    WaitKind,
)
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

BEGAN = 1_795_000_000.0
"""When the first of these jobs was launched, in seconds since 1970."""

OLD = 1_795_300_000
"""The time that files and folders get: old enough for their stamps to be trusted."""

TASKS = ("ir.index.index", "ir.models.learn", "ir.evaluate", "ir.report.table")
RANKERS = ("bm25", "drmm", "knrm", "duet", "splade")
_CAUSES = (
    ("torch.OutOfMemoryError", "out of memory: tried {n} MiB", "train.py", 88, "step"),
    ("AssertionError", "empty batch in shard {n}", "data.py", 231, "batches"),
    ("ValueError", "loss is nan at step {n}", "train.py", 104, "step"),
    ("KeyError", "'query {n}'", "collection.py", 57, "lookup"),
)


@dataclass(frozen=True)
class Shape:
    """How many jobs there are, and of which kind; of those in the live run a part waits."""

    jobs: int
    """Those that have a folder."""
    experiments: int = 10
    failed: float = 0.02
    running: int = 100
    """In the live run, which is the newest."""
    waiting: int = 500
    seed: int = 1
    sharing: int = 0
    """So many folders are shared, by all jobs of the second task; half as many by none."""


@dataclass(frozen=True)
class Made:
    """A job as it was made up."""

    key: JobKey
    tags: dict[str, str | float | int]
    params: dict[str, str | float | int]
    deps: tuple[JobKey, ...]
    shared: tuple[str, ...] = ()


def make(root: Path, shape: Shape) -> WorkspacePaths:
    """Write a workspace; its live run and what runs in it belong to this process."""
    paths = WorkspacePaths.at(root)
    draw = Random(shape.seed)
    made = list(_jobs(shape, draw))
    share = -(-len(made) // shape.experiments)
    for number in range(shape.experiments):
        part = made[number * share : (number + 1) * share]
        if not part:
            break
        live = number == shape.experiments - 1
        running = min(shape.running, len(part)) if live else 0
        _experiment(paths, f"grid{number:02d}", part, shape, draw, running=running, live=live)
    for number in range(shape.sharing + shape.sharing // 2):
        folder = paths.shared_folder(_shared(number))
        os.makedirs(f"{folder}/{XPM}")
        _write(paths.shared_lock(_shared(number)), b"")
    _age(paths)
    return paths


def revive(
    root: Path, process_of: Callable[[JobKey], ProcessIdentity] | None = None
) -> WorkspacePaths:
    """Let what runs in a workspace that was made before belong to this process.

    `process_of` gives each of its running jobs a process of its own.
    """
    paths = WorkspacePaths.at(root)
    me = processes.own_identity().to_json()
    for record, jobs in running(paths):
        _change(record, driver=me)
        for key in jobs:
            mine = me if process_of is None else process_of(key).to_json()
            _change(Path(paths.job(key).start(1)), by=mine)
            _change(Path(paths.job(key).summary), supervisor=mine)
    return paths


def running(paths: WorkspacePaths) -> Iterator[tuple[Path, list[JobKey]]]:
    """The records of the runs that go on, with those of their jobs that run."""
    for record in map(Path, glob(f"{paths.experiments}/*/*/run.json")):
        if json.loads(record.read_bytes())["ended"] is not None:
            continue
        with open(paths.run(record.parts[-3], record.parts[-2]).manifest, "rb") as lines:
            named = [JobKey(line["task"], line["id"]) for line in map(json.loads, lines)]
        yield record, [key for key in named if _runs(paths.job(key))]


def _runs(job: JobPaths) -> bool:
    return os.path.exists(job.start(1)) and not os.path.exists(job.end(1))


def _change(path: Path, **fields: object) -> None:
    data: dict[str, object] = json.loads(path.read_bytes())
    path.write_bytes(dumps({**data, **fields}))


def _jobs(shape: Shape, draw: Random) -> Iterator[Made]:
    """Four tasks, in chains: index, learn, evaluate, table."""
    last: JobKey | None = None
    for number in range(shape.jobs):
        task = TASKS[number % len(TASKS)]
        digits = hashlib.md5(f"{shape.seed} {number}".encode()).hexdigest()
        key = JobKey(task, digits)
        ranker, seed = RANKERS[number // 4 % len(RANKERS)], number // 4
        rate = round(10 ** -draw.uniform(1, 5), 6)
        tags: dict[str, str | float | int] = {"ranker": ranker, "lr": rate, "seed": seed}
        params: dict[str, str | float | int] = {
            "trainer.optimizer.lr": rate,
            "trainer.epochs": draw.choice((10, 50, 100)),
            "model.ranker": ranker,
            "seed": seed,
        }
        shared = (
            (_shared(number // 4 % shape.sharing),) if shape.sharing and task == TASKS[1] else ()
        )
        yield Made(key, tags, params, () if last is None else (last,), shared)
        last = None if number % len(TASKS) == len(TASKS) - 1 else key


def _shared(number: int) -> str:
    return f"{TASKS[1]}/checkpoints/{number:032x}"


def _experiment(
    paths: WorkspacePaths,
    name: str,
    jobs: list[Made],
    shape: Shape,
    draw: Random,
    *,
    running: int,
    live: bool,
) -> None:
    run = f"2026112{min(int(name[-2:]), 9) % 10}-090000-{name[-2:]}ab"
    for number, job in enumerate(jobs):
        if number >= len(jobs) - running:
            _write_running(paths, job, f"{name}/{run}", draw)
        else:
            _write_ended(paths, job, f"{name}/{run}", draw, failed=draw.random() < shape.failed)
    waiting = [
        replace(
            job,
            key=JobKey(job.key.task, hashlib.md5(f"{job.key} later".encode()).hexdigest()),
            deps=(job.key,),
        )
        for job in jobs[-shape.waiting :]
        if live
    ]
    folder = paths.run(name, run)
    os.makedirs(folder.root)
    me = processes.own_identity()
    record = RunRecord(
        experiment=name,
        run=run,
        scope=Scope("plan.py", (), ("plan.py",)),
        plan=PlanState.RUNNING if live else PlanState.COMPLETE,
        kind=RunKind.PLAN,
        driver=me,
        user="you",
        started=format_time(BEGAN),
        ended=None if live else format_time(BEGAN + 90_000),
    )
    _write(folder.record, dumps(record.to_json()))
    lines = [
        dumps(
            Reference(
                job.key,
                How.REUSED if draw.random() < 0.1 else How.NEW,
                format_time(BEGAN),
                tags=dict(job.tags),
                params=dict(job.params),
                dependencies=job.deps,
            ).to_json()
        )
        for job in (*jobs, *waiting)
    ]
    if not live:
        lines.append(dumps(end_line(len(lines))))
    _write(folder.manifest, b"\n".join(lines) + b"\n")
    waits = tuple(Wait(job.key, WaitKind.CORE, place) for place, job in enumerate(waiting, start=1))
    _write(folder.queue, dumps(Queue(format_time(BEGAN), waits).to_json()))
    os.symlink(run, paths.latest(name))


def _write_ended(paths: WorkspacePaths, job: Made, run: str, draw: Random, *, failed: bool) -> None:
    began = BEGAN + draw.uniform(0, 80_000)
    seconds = draw.uniform(5, 9_000)
    started, ended = format_time(began), format_time(began + seconds)
    supervisor = replace(_OLD_PROCESS, pid=draw.randrange(1_000, 99_999))
    reason = None
    if failed:
        kind, words, file, line, function = draw.choice(_CAUSES)
        frame = Frame(f"/home/you/ir/{file}", line, function, "loss = self.model(batch).mean()")
        text = f"{kind}: {words.format(n=draw.randrange(10_000))}"
        reason = Reason(ReasonKind.EXCEPTION, text, kind, frame)
    outcome = Outcome.FAILED if failed else Outcome.DONE
    usage = Usage(seconds, seconds * 0.9, draw.randrange(1 << 33))
    metrics = {} if failed else {"mrr": draw.random(), "ndcg": draw.random()}
    folder = paths.job(job.key)
    os.makedirs(folder.xpm)
    _write(folder.launch(1), dumps(_launch(job, run, started).to_json()))
    _write(
        folder.start(1),
        dumps(Start("b" * 32, "a" * 32, supervisor, started, "you").to_json()),
    )
    end = End(
        nonce="c" * 32,
        outcome=outcome,
        at=ended,
        by=supervisor,
        exit_code=int(failed),
        reason=reason,
        usage=usage,
        metrics=metrics,
        resolved="d" * 32,
    )
    _write(folder.end(1), dumps(end.to_json()))
    summary = JobSummary(
        key=job.key,
        attempt=1,
        outcome=outcome,
        run=run,
        started=started,
        user="you",
        supervisor=supervisor,
        ended=ended,
        exit_code=int(failed),
        reason=reason,
        usage=usage,
        metrics=metrics,
        tags=dict(job.tags),
        params=dict(job.params),
        dependencies=job.deps,
        resolved="d" * 32,
        launcher="local",
        shared=job.shared,
    )
    _write(folder.summary, dumps(summary.to_json()))


def _write_running(paths: WorkspacePaths, job: Made, run: str, draw: Random) -> None:
    me = processes.own_identity()
    started = format_time(BEGAN + 85_000)
    folder = paths.job(job.key)
    os.makedirs(folder.logs)
    _write(folder.launch(1), dumps(_launch(job, run, started).to_json()))
    _write(folder.start(1), dumps(Start("b" * 32, "a" * 32, me, started, "you").to_json()))
    summary = JobSummary(
        key=job.key,
        attempt=1,
        outcome=None,
        run=run,
        started=started,
        user="you",
        supervisor=me,
        tags=dict(job.tags),
        params=dict(job.params),
        dependencies=job.deps,
        launcher="local",
        shared=job.shared,
    )
    _write(folder.summary, dumps(summary.to_json()))
    level = ProgressLevel(draw.random(), "epoch 3/5")
    _write(folder.progress, dumps(Progress(1, started, 600.0, (level,)).to_json()))


def _launch(job: Made, run: str, at: str) -> Launch:
    return Launch(
        nonce="a" * 32,
        key=job.key,
        attempt=1,
        by=LaunchedBy.PLAN,
        at=at,
        driver=_OLD_PROCESS,
        run=run,
        dependencies=job.deps,
        tags=dict(job.tags),
        launcher="local",
        shared=job.shared,
    )


_OLD_PROCESS = replace(processes.own_identity(), boot_id="before", pid=4121)
"""One that lived here before the last boot."""


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def _age(paths: WorkspacePaths) -> None:
    """Make everything look as if it was written some time ago."""
    for folder, _, files in os.walk(paths.root, topdown=False):
        if os.path.dirname(folder) == paths.experiments or folder.startswith(paths.experiments):
            for name in files:
                os.utime(f"{folder}/{name}", (OLD, OLD))
        os.utime(folder, (OLD, OLD))


def main() -> None:
    """Write one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    make(options.folder, Shape(options.jobs, seed=options.seed))


if __name__ == "__main__":
    main()
