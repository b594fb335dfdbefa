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
    os.rmdir(aside)
    return seconds


def one_round(workspace: WorkspacePaths, keys: list[JobKey]) -> dict[str, float]:
    """Seconds of each step; everything is where it was afterwards."""
    records = {name: scan.read_job(workspace, name) for name in keys}
    plan = cleaning.plan_removal(workspace, keys)
    found = {
        "plan, all jobs read": timed(lambda: cleaning.plan_removal(workspace, keys)),
        "plan, jobs known": timed(lambda: cleaning.plan_removal(workspace, keys, records=records)),
        "sizes": timed(lambda: cleaning.measure(workspace, plan)),
        "renames alone": rename_alone(workspace, keys),
        "clean": timed(lambda: cleaning.carry_out(workspace, plan)),
        "list trash": timed(lambda: cleaning.list_trash(workspace)),
    }
    (done,) = cleaning.list_trash(workspace)
    assert len(done.removals) == len(keys)
    found["undo"] = timed(lambda: cleaning.undo(workspace, done.name))
    assert len(list(scan.list_jobs(workspace))) == len(keys)
    return found


def make_jobs(workspace: WorkspacePaths, count: int) -> list[JobKey]:
    """Finished jobs, none of them waited for until the disk has it."""
    sync, os.fsync = os.fsync, lambda _: None
    keys = [key(number) for number in range(count)]
    for name in keys:
        make_job(workspace, name, tags={"lr": 0.1})
    os.fsync = sync
    return keys


def main() -> None:
    """Print the best of three as JSON, in seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    with tempfile.TemporaryDirectory() as folder:
        workspace = WorkspacePaths(folder)
        keys = make_jobs(workspace, parser.parse_args().jobs)
        rounds = [one_round(workspace, keys) for _ in range(3)]
    best = {name: round(min(each[name] for each in rounds), 3) for name in rounds[0]}
    print(json.dumps({"jobs": len(keys), "seconds": best}, indent=2))


if __name__ == "__main__":
    main()
