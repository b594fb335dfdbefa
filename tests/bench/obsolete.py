"""How long it takes to find what is obsolete, and its sizes: ``python tests/bench/obsolete.py``.

Writes a workspace of ``--jobs`` finished jobs, of which half were replaced by a later run, and
times the survey from its folders: cold (every record is read), and warm (only what differs from
what the app remembered). Then the sizes of ``--sizes`` folders are measured in a thread, while
this one counts how late it wakes up: the stalls that a screen would have. ``--sharing N`` has a
quarter of the jobs share N folders, and times too who needs these. ``--peer PYTHON`` names
an interpreter with experimaestro 2.7.0, which then lists a hundredth as many orphans with their
sizes. Prints JSON, in seconds; ``cpu`` is the processor's time, which other work does not change.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.big_workspace import Shape, make
from xpm_engine.verbs.cleaning.obsolete import Surveyed, survey_workspace, told
from xpm_engine.verbs.cleaning.offers import Offering, offer_obsolete
from xpm_engine.workspace import scan
from xpm_engine.workspace.atomic import dumps, make_folders, write_atomic
from xpm_engine.workspace.cleaning.shared import users_of_shared
from xpm_engine.workspace.index import Known, write_index
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.runs import PlanState, end_line
from xpm_tui.cleaning.removal import Removal, measure, removal_of

TICK = 0.005

PEER = """
import logging, sys
from experimaestro import Config, Param, Task, experiment, RunMode

class Learn(Task):
    __xpmid__ = "bench.learn"
    seed: Param[int]
    def execute(self): ...

if __name__ == "__main__":
    logging.getLogger().setLevel(logging.ERROR)
    with experiment("ws", "bench", run_mode=RunMode.GENERATE_ONLY):
        for seed in range(int(sys.argv[1])):
            Learn.C(seed=seed).submit()
"""


def timed(act: Callable[[], object], rounds: int = 3) -> dict[str, float]:
    """The best of a few rounds, by the clock and by the processor."""
    clock: list[float] = []
    cpu: list[float] = []
    for _ in range(rounds):
        gc.collect()
        began, busy = time.perf_counter(), time.process_time()
        act()
        clock.append(time.perf_counter() - began)
        cpu.append(time.process_time() - busy)
    return {"clock": round(min(clock), 3), "cpu": round(min(cpu), 3)}


def replace_half(workspace: WorkspacePaths) -> None:
    """A later complete run of half of the experiments names a few jobs, and others."""
    names = scan.list_experiments(workspace)
    (last,) = scan.list_runs(workspace, names[-1])
    kept = scan.read_manifest(workspace.run(names[-1], last)).references[:100]
    lines = [dumps(line.to_json()) for line in kept]
    data = b"\n".join((*lines, dumps(end_line(len(lines))), b""))
    for name in names[: len(names) // 2]:
        (run,) = scan.list_runs(workspace, name)
        record = scan.read_run_record(workspace.run(name, run))
        later = workspace.run(name, "20261201-090000")
        make_folders(later.root)
        changed = replace(record, run="20261201-090000", plan=PlanState.COMPLETE)
        write_atomic(later.record, dumps(changed.to_json()))
        write_atomic(later.manifest, data)


def remember(workspace: WorkspacePaths) -> None:
    """What the app does when it is left."""
    known = Known(workspace)
    for key in scan.list_jobs(workspace):
        known.look_at_job(key)
    for name in scan.list_experiments(workspace):
        for run in scan.list_runs(workspace, name):
            known.look_at_run((name, run))
    trouble = write_index(known)
    assert not trouble, trouble


def stalls(workspace: WorkspacePaths, removal: Removal) -> dict[str, float]:
    """Seconds to measure all sizes in a thread, and how late another thread wakes up meanwhile."""

    def work() -> None:
        measure(workspace, removal, lambda known: None, stopped=lambda: False)

    thread = Thread(target=work)
    late: list[float] = []
    began = time.perf_counter()
    thread.start()
    while thread.is_alive():
        before = time.perf_counter()
        time.sleep(TICK)
        late.append(time.perf_counter() - before - TICK)
    late.sort()
    return {
        "clock": round(time.perf_counter() - began, 3),
        "median_late": round(late[len(late) // 2], 4),
        "most_late": round(late[-1], 4),
    }


def peer(python: str, count: int) -> dict[str, float]:
    """Seconds that the peer's ``orphans --size`` takes for so many."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder, "plan.py")
        plan.write_text(PEER)
        subprocess.run([python, str(plan), str(count)], cwd=folder, check=True, capture_output=True)
        Path(folder, "ws", ".__experimaestro__").touch()
        for job in Path(folder, "ws", "jobs", "bench.learn").iterdir():
            (job / "learn.done").touch()
        for path in Path(folder, "ws").iterdir():
            if path.is_dir() and path.name in ("experiments", "xp"):
                shutil.rmtree(path)
        began = time.perf_counter()
        command = [python, "-m", "experimaestro", "orphans", "--size", str(Path(folder, "ws"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
    found = re.search(r"Found (\d+) orphan", done.stdout)
    return {"jobs": int(found.group(1)) if found else 0, "clock": round(seconds, 3)}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--sizes", type=int, default=10_000)
    parser.add_argument("--sharing", type=int, default=0)
    parser.add_argument("--peer", metavar="PYTHON")
    options = parser.parse_args()
    found: dict[str, object] = {"jobs": options.jobs}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        shape = Shape(options.jobs, failed=0.02, running=0, waiting=0, sharing=options.sharing)
        workspace = make(Path(folder, "ws"), shape)
        replace_half(workspace)
        found["survey, cold"] = timed(lambda: survey_workspace(workspace), 1)
        remember(workspace)
        found["survey, warm"] = timed(lambda: survey_workspace(workspace))
        seen: Surveyed = survey_workspace(workspace)
        found["rows"] = len(seen.survey.obsolete)
        found["rows as offered"] = timed(lambda: offer_obsolete(workspace, seen), 1)
        some = seen.survey.obsolete[:1000]
        found["why, 1,000 rows"] = timed(lambda: list(map(told, some)))
        if options.sharing:
            known = seen.survey.jobs.sharing()
            found["who shares, as surveyed"] = timed(
                lambda: users_of_shared(workspace, list(known)), 1
            )
            found["who shares, as carried out"] = timed(lambda: users_of_shared(workspace))
        offering = offer_obsolete(workspace, seen)
        part = Offering(seen, offering.rows[: options.sizes])
        found[f"sizes of {len(part.rows):,}"] = stalls(workspace, removal_of(part))
        if options.peer:
            found["peer: orphans --size"] = peer(options.peer, max(10, options.jobs // 100))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
