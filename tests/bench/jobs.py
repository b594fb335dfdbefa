"""How quickly jobs run that do nothing: ``python tests/bench/jobs.py [--peer PYTHON]``.

Runs 200 independent jobs, and a chain in which each waits for the one before; each job has its own
process, folder and logs. ``--peer`` names an interpreter with experimaestro 2.7.0, which then runs
the same, in turns with ours. Prints a line of JSON. Both are bound to the machine's cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

OURS = """
import sys, time
from xpm_engine import Param, Task, experiment

class Noop(Task):
    n: Param[int]
    after: Param[list[Task]] = []
    def execute(self) -> None:
        began = time.time()
        print(began, time.time())

if __name__ == "__main__":
    shape, count, workspace = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with experiment(workspace, "bench") as xp:
        Noop(n=-1).submit()
        xp.wait()
        began, before = time.perf_counter(), []
        for n in range(count):
            before = [Noop(n=n, after=before if shape == "chain" else []).submit()]
        xp.wait()
        print(time.perf_counter() - began)
"""

PEER = """
import logging, sys, time
from pathlib import Path
from experimaestro import Param, Task, experiment

class Noop(Task):
    __xpmid__ = "bench.noop"
    n: Param[int]
    after: Param[list[Task]] = []
    def execute(self) -> None:
        began = time.time()
        print(began, time.time())

if __name__ == "__main__":
    logging.getLogger().setLevel(logging.ERROR)
    shape, count, workspace = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with experiment(workspace, "bench") as xp:
        Noop.C(n=-1).submit()
        xp.wait()
        began, before = time.perf_counter(), []
        for n in range(count):
            before = [Noop.C(n=n, after=before if shape == "chain" else []).submit()]
        xp.wait()
        print(time.perf_counter() - began)
"""


def run(python: str, plan: str, shape: str, count: int) -> tuple[float, list[float]]:
    """Seconds that `count` jobs took; and between the end of each and the start of the next."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "noop_plan.py").write_text(plan)
        done = subprocess.run(
            [python, "noop_plan.py", shape, str(count), str(folder / "ws")],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        times = sorted(_times(folder))
        assert len(times) == count + 1, f"{len(times)} jobs ran"
        gaps = [after[0] - before[1] for before, after in pairwise(times[1:])]
        return float(done.stdout.split()[-1]), gaps


def _times(folder: Path) -> list[tuple[float, float]]:
    """When each job began and ended, by what it printed into its log."""
    found: list[tuple[float, float]] = []
    for log in {*folder.glob("ws/jobs/*/*/stdout.log"), *folder.glob("ws/jobs/*/*/*.out")}:
        began, ended = log.read_text().split()[-2:]
        found.append((float(began), float(ended)))
    return found


def measure(python: str, plan: str, *, jobs: int, chain: int, rounds: int) -> dict[str, float]:
    """The best of some rounds."""
    seconds = [run(python, plan, "independent", jobs)[0] for _ in range(rounds)]
    gaps = [median(run(python, plan, "chain", chain)[1]) for _ in range(rounds)]
    return {"jobs_per_second": jobs / min(seconds), "chain_gap_ms": min(gaps) * 1e3}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--chain", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", metavar="PYTHON")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    began = time.time()
    ours = measure(
        sys.executable, OURS, jobs=options.jobs, chain=options.chain, rounds=options.rounds
    )
    found: dict[str, object] = {"cores": os.cpu_count(), "load_before": load, "ours": ours}
    if options.peer:
        few = max(2, options.jobs // 10)
        peer = measure(options.peer, PEER, jobs=few, chain=max(2, options.chain // 10), rounds=1)
        found |= {
            "peer": peer,
            "times": ours["jobs_per_second"] / peer["jobs_per_second"],
        }
    print(json.dumps({**found, "seconds": time.time() - began}))


if __name__ == "__main__":
    main()
