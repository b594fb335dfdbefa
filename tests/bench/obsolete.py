"""How long it takes to find what is obsolete: ``python tests/bench/obsolete.py``.

The survey alone, over records in memory; the manifests read from the disk; and, with ``--disk N``,
the whole of it for N jobs whose folders stand on the disk, which the page cache holds.
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
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.engine.folders import key, make_job, make_run
from tests.engine.histories import job, line, run
from xpm_engine.verbs.obsolete import survey_workspace, ticked, why_offered
from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.obsolete import survey
from xpm_engine.workspace.recompute import cost_again
from xpm_engine.workspace.records.runs import Reference

INDEXES = 100
"""Jobs that all others are made from, a hundredth each."""

ROUNDS = 3


def timed(act: Callable[[], object]) -> float:
    """The best of a few rounds, in seconds."""
    seconds: list[float] = []
    for _ in range(ROUNDS):
        gc.collect()
        began = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - began)
    return round(min(seconds), 3)


def references(count: int) -> list[Reference]:
    """A plan of this many jobs, most made from one of the first hundred."""
    first = [line(key(number), stem=number) for number in range(INDEXES)]
    rest = [
        line(key(number), dependencies=[key(number % INDEXES)], lr=number % 7, seed=number)
        for number in range(INDEXES, count)
    ]
    return first + rest


def in_memory(count: int) -> dict[str, float]:
    """Three runs of one scope: the last one uses half of what the first did."""
    lines = references(count)
    runs = [run(1, lines), run(2, lines), run(3, lines[: count // 2])]
    jobs = {item.key: replace(job(item.key), dependencies=item.dependencies) for item in lines}
    found = survey(runs, jobs)
    assert len(found.obsolete) == count - count // 2
    return {
        "survey": timed(lambda: survey(runs, jobs)),
        "ticks": timed(lambda: ticked(found, finished=True)),
        "why and cost of each row": timed(
            lambda: [(why_offered(x), cost_again(found, [x.key])) for x in found.obsolete]
        ),
    }


def manifests(count: int) -> float:
    """Seconds to read two manifests of this many jobs."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = WorkspacePaths(folder)
        for name in ("20261121-091200-ab12", "20261122-091200-ab12"):
            make_run(workspace, references(count), run=name)
        names = scan.list_runs(workspace, "drmm")
        return timed(lambda: [scan.read_run(workspace, "drmm", name) for name in names])


def on_disk(count: int) -> float:
    """Seconds for the whole of it, from the folders."""
    sync = os.fsync
    os.fsync = _no_sync
    with tempfile.TemporaryDirectory() as folder:
        workspace = WorkspacePaths(folder)
        lines = references(count)
        for item in lines:
            make_job(workspace, item.key, dependencies=item.dependencies)
        make_run(workspace, lines, run="20261121-091200-ab12")
        make_run(workspace, lines[: count // 2], run="20261122-091200-ab12")
        os.fsync = sync
        return timed(lambda: survey_workspace(workspace))


def _no_sync(fd: object) -> None:
    """In place of os.fsync while the jobs are made."""


def main() -> None:
    """Print the best of three as JSON, in seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--disk", type=int, default=0, metavar="N")
    options = parser.parse_args()
    seconds: dict[str, float] = in_memory(options.jobs)
    seconds["two manifests read"] = manifests(options.jobs)
    if options.disk:
        seconds[f"all of it, {options.disk:,} folders on the disk"] = on_disk(options.disk)
    print(json.dumps({"jobs": options.jobs, "seconds": seconds}, indent=2))


if __name__ == "__main__":
    main()
