"""How long a plan takes to find out that its jobs are done: ``python tests/bench/rerun.py``.

Makes a workspace of finished jobs (their tickets are written here, nothing is executed), then
times the plan that submits them all, in a fresh process, best of three. ``--peer PYTHON`` names an
interpreter with experimaestro 2.7.0, which then does the same with a tenth of the jobs, once; its
time is of the whole block, and so is ours. Prints a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAN = """
import sys, time
from xpm_engine import Config, Param, Task, experiment

class Adam(Config):
    lr: Param[float] = 1e-3
    decay: Param[float] = 0.0

class Learn(Task):
    optimizer: Param[Adam]
    epochs: Param[int] = 3
    def execute(self): ...

if __name__ == "__main__":
    began = time.perf_counter()
    with experiment("ws", "bench"):
        for n in range(int(sys.argv[1])):
            Learn(optimizer=Adam(lr=1.0 + n)).submit()
    print(time.perf_counter() - began)
"""

PEER = """
import logging, sys, time
from experimaestro import Config, Param, Task, experiment, RunMode

class Adam(Config):
    __xpmid__ = "bench.adam"
    lr: Param[float] = 1e-3
    decay: Param[float] = 0.0

class Learn(Task):
    __xpmid__ = "bench.learn"
    optimizer: Param[Adam]
    epochs: Param[int] = 3
    def execute(self): ...

if __name__ == "__main__":
    logging.getLogger().setLevel(logging.ERROR)
    count, mode = int(sys.argv[1]), RunMode(sys.argv[2])
    began = time.perf_counter()
    jobs = []
    with experiment("ws", "bench", run_mode=mode):
        for n in range(count):
            task = Learn.C(optimizer=Adam.C(lr=1.0 + n))
            task.submit()
            jobs.append(task)
    if mode is RunMode.NORMAL:
        print(time.perf_counter() - began)
    else:
        for task in jobs:
            job = task.__xpm__.job
            job.path.mkdir(parents=True, exist_ok=True)
            job.donepath.touch()
"""


def finish(folder: Path, count: int) -> None:
    """Write the tickets of `count` finished jobs, as a run would have left them."""
    sys.path.insert(0, str(folder))
    import plan

    from xpm_engine.config.order import order_of
    from xpm_engine.config.paths import PathRoots
    from xpm_engine.workspace import processes, tickets
    from xpm_engine.workspace.atomic import dumps
    from xpm_engine.workspace.layout import WorkspacePaths
    from xpm_engine.workspace.records.fields import now
    from xpm_engine.workspace.records.jobs import JobSummary
    from xpm_engine.workspace.records.reasons import Outcome
    from xpm_engine.workspace.records.tickets import End, Launch, LaunchedBy, Start, Usage

    workspace = WorkspacePaths(str(folder / "ws"))
    roots = PathRoots(workspace, str(folder))
    me = processes.own_identity()
    for number in range(count):
        task = plan.Learn(optimizer=plan.Adam(lr=1.0 + number))
        order = order_of(task, roots)
        job = workspace.job(order.key)
        os.makedirs(job.logs)
        launch = Launch(
            tickets.new_nonce(), order.key, 1, LaunchedBy.PLAN, now(), me, "bench/x",
            order.params.to_json(), order.resolved, launcher="local",
        )  # fmt: skip
        start = Start(tickets.new_nonce(), launch.nonce, me, now(), "ada")
        end = End(
            tickets.new_nonce(), Outcome.DONE, now(), me, exit_code=0,
            usage=Usage(1.0, 1.0, 1), resolved=order.resolved,
        )  # fmt: skip
        summary = JobSummary(
            order.key, 1, Outcome.DONE, "bench/x", start.at, "ada", me, ended=end.at,
            exit_code=0, usage=end.usage, params=order.flat, resolved=order.resolved,
        )  # fmt: skip
        for path, record in (
            (job.launch(1), launch),
            (job.start(1), start),
            (job.end(1), end),
            (job.summary, summary),
        ):
            Path(path).write_bytes(dumps(record.to_json()))


def peer_rate(python: str, count: int) -> float:
    """Jobs a second of the peer, whose markers of finished jobs are written first."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "peer_plan.py").write_text(PEER)
        for mode in ("dry-run", "normal"):
            done = subprocess.run(
                [python, "peer_plan.py", str(count), mode],
                cwd=folder, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise SystemExit(done.stderr[-3000:])
        return count / float(done.stdout.split()[-1])


def main() -> None:
    """Print seconds and jobs a second."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--peer", metavar="PYTHON")
    options = parser.parse_args()
    count = options.jobs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plan.py").write_text(PLAN)
        finish(folder, count)
        seconds = []
        for _ in range(3):
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "plan.py", str(count)],
                cwd=folder, capture_output=True, text=True, check=True,
            )  # fmt: skip
            seconds.append((float(done.stdout), time.perf_counter() - began))
            assert f"{count} done ({count} reused)" in done.stderr, done.stderr
    inner, whole = min(seconds)
    found = {"jobs": count, "seconds": inner, "process": whole, "rate": count / inner}
    if options.peer:
        peer = peer_rate(options.peer, max(1, count // 10))
        found |= {"peer_rate": peer, "times": count / inner / peer}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
