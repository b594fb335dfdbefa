"""How much memory the process of a very large plan takes: ``python tests/bench/memory.py``.

Submits jobs that all wait for one that takes its time, so that nothing of them is on the disk yet,
and asks the kernel for the most that the process has held, the plan's own objects included. Prints
a line of JSON. ``--peer PYTHON`` names an interpreter with experimaestro 2.7.0, which then does
the same with a tenth of the jobs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

OURS = """
import os, re, sys, time
from xpm_engine import Config, Param, Task, experiment

class Adam(Config):
    lr: Param[float] = 1e-3
    decay: Param[float] = 0.0

class Learn(Task):
    optimizer: Param[Adam]
    epochs: Param[int] = 3
    after: Param[list[Task]] = []
    def execute(self) -> None:
        time.sleep(600)

if __name__ == "__main__":
    count = int(sys.argv[1])
    with experiment("ws", "bench") as xp:
        first = Learn(optimizer=Adam(lr=0.5)).submit()
        began = time.process_time()
        for n in range(count):
            Learn(optimizer=Adam(lr=1.0 + n), after=[first]).submit()
        while not os.path.exists("ws/experiments/bench/latest/queue.json") or (
            open("ws/experiments/bench/latest/queue.json").read().count('"task"') < count
        ):
            time.sleep(0.5)
        status = open("/proc/self/status").read()
        print(re.search(r"VmHWM:\\s*(\\d+)", status)[1], time.process_time() - began, flush=True)
        for handle in xp._scheduler.live_jobs():
            os.kill(handle.process.pid, 15)
        os._exit(0)
"""

PEER = """
import logging, os, re, sys, time
from experimaestro import Config, Param, Task, experiment

class Adam(Config):
    __xpmid__ = "bench.adam"
    lr: Param[float] = 1e-3
    decay: Param[float] = 0.0

class Learn(Task):
    __xpmid__ = "bench.learn"
    optimizer: Param[Adam]
    epochs: Param[int] = 3
    after: Param[list[Task]] = []
    def execute(self) -> None:
        time.sleep(60)

if __name__ == "__main__":
    logging.getLogger().setLevel(logging.ERROR)
    count = int(sys.argv[1])
    with experiment("ws", "bench") as xp:
        first = Learn.C(optimizer=Adam.C(lr=0.5))
        first.submit()
        began = time.process_time()
        for n in range(count):
            Learn.C(optimizer=Adam.C(lr=1.0 + n), after=[first]).submit()
        time.sleep(1)
        status = open("/proc/self/status").read()
        print(re.search(r"VmHWM:\\s*(\\d+)", status)[1], time.process_time() - began, flush=True)
        os._exit(0)
"""


def measure(python: str, plan: str, count: int) -> dict[str, float]:
    """Megabytes that the plan of `count` jobs held at most, and its processor seconds."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "memory_plan.py").write_text(plan)
        done = subprocess.run(
            [python, "memory_plan.py", str(count)],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
    kilobytes, seconds = done.stdout.split()[-2:]
    return {"jobs": count, "megabytes": int(kilobytes) / 1024, "cpu_seconds": float(seconds)}


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--peer", metavar="PYTHON")
    options = parser.parse_args()
    found = {"ours": measure(sys.executable, OURS, options.jobs)}
    if options.peer:
        found["peer"] = measure(options.peer, PEER, options.jobs // 10)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
