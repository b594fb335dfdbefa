"""How long it takes to clean ten thousand jobs, and to undo it: ``python tests/bench/cleaning.py``.

Beside it what the same renames take alone, there and back: what the disk asks for in any case.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.engine.folders import key, make_job
from xpm_engine.workspace import cleaning, scan
from xpm_engine.workspace.layout import JobKey, WorkspacePaths


def timed(act: Callable[[], object]) -> float:
    """Seconds that it takes."""
    gc.collect()
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def rename_alone(workspace: WorkspacePaths, keys: list[JobKey]) -> float:
    """Seconds to rename the folders away; they are back afterwards, untimed."""
    aside = workspace.root + "/aside"
    os.mkdir(aside)

    def there() -> None:
        for name in keys:
            os.rename(workspace.job(name).root, f"{aside}/{name.identifier}")

    seconds = timed(there)
    for name in keys:
        os.rename(f"{aside}/{name.identifier}", workspace.job(name).root)
    return seconds


def main() -> None:
    """Print the best of three as JSON, in seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    count = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as folder:
        workspace = WorkspacePaths(folder)
        keys = [key(number) for number in range(count)]
        for name in keys:
            make_job(workspace, name, tags={"lr": 0.1})
        found: dict[str, list[float]] = {}
        for _ in range(3):
            plans: list[cleaning.RemovalPlan] = []
            cleans: list[cleaning.Transaction] = []
            records = {name: scan.read_job(workspace, name) for name in keys}
            steps: dict[str, Callable[[], object]] = {
                "plan, all jobs read": lambda: plans.append(cleaning.plan_removal(workspace, keys)),
                "plan, jobs known": lambda: cleaning.plan_removal(workspace, keys, records=records),
                "sizes": lambda: cleaning.measure(workspace, plans[0]),
                "clean": lambda: cleans.append(cleaning.carry_out(workspace, plans[0])),
                "list trash": lambda: cleaning.list_trash(workspace),
                "undo": lambda: cleaning.undo(workspace, cleans[0].name),
            }
            for name, step in steps.items():
                found.setdefault(name, []).append(timed(step))
            assert len(cleans[0].removals) == count
            found.setdefault("renames alone", []).append(rename_alone(workspace, keys))
    best = {name: round(min(times), 3) for name, times in found.items()}
    print(json.dumps({"jobs": count, "seconds": best}, indent=2))


if __name__ == "__main__":
    main()
