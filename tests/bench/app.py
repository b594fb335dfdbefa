"""The app in a real terminal: ``python -m tests.bench.app [--jobs N] [--peer PYTHON]``.

Makes a workspace of N jobs, opens the app on it in a pseudo-terminal of 120×40 cells, and prints:
how long until the first rows of jobs are on the screen (without and with an index of before), how
much memory that took, how long from a change on disk to the screen, from a key to its frame, what
a key and an idle second cost, in bytes for the terminal and in processor time. Processor times
say more than the others on a machine that has something else to do.

With a Python that has experimaestro 2.7.0, its console monitor is measured on an equal workspace
of its own format, and both stand side by side. It shows jobs after a key (the experiment is to be
chosen first), which is typed as soon as the experiments are there.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from tests.bench.peer import make_peer, monitor
from tests.bench.screen import Screen
from tests.bench.spending import cost, settle
from tests.big_workspace import Shape, make
from xpm_engine.workspace import processes
from xpm_engine.workspace.atomic import dumps, publish, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import End
from xpm_engine.workspace.scan import list_jobs, read_job


def ours(workspace: Path) -> list[str]:
    code = "import sys; from xpm_tui.cli import main; sys.exit(main())"
    return [sys.executable, "-c", code, str(workspace)]


def has_rows(screen: Screen) -> bool:
    """Whether a row of a job is on the screen."""
    return any(word in screen.text for word in ("● running", "✗ failed", "✓ done"))


def start(
    command: Sequence[str], cache: Path, has_rows: Callable[[Screen], bool]
) -> dict[str, object]:
    """One start, until everything was compared with the folders."""
    screen = Screen(command, cache=cache)
    try:
        rows = screen.until(lambda: has_rows(screen))
        found: dict[str, object] = {
            "first_rows_s": round(screen.seconds, 3) if rows else None,
            "first_rows_cpu_s": round(screen.cpu, 3),
        }
        screen.until(lambda: "checking" not in screen.text)
        found["checked_s"] = round(screen.seconds, 3)
        screen.quiet(1.0)
        found.update(cpu_s=round(screen.cpu, 3), peak_mb=round(screen.megabytes))
        screen.type("q")
        deadline = time.monotonic() + 20
        while screen.read(0.5) and time.monotonic() < deadline:
            pass
        return found
    finally:
        screen.close()


def keys(screen: Screen, typed: Sequence[str]) -> dict[str, float]:
    """What each of these keys costs, in the middle and at most."""
    waits: list[float] = []
    costs: list[float] = []
    sizes: list[int] = []
    for key in typed:
        screen.quiet(0.4)
        before, cpu, began = screen.bytes, screen.cpu, time.monotonic()
        screen.type(key)
        waits.append(screen.quiet(0.25) - began)
        costs.append(screen.cpu - cpu)
        sizes.append(screen.bytes - before)
    return {
        "frame_ms": round(statistics.median(waits) * 1000),
        "frame_ms_most": round(max(waits) * 1000),
        "cpu_ms": round(statistics.mean(costs) * 1000),
        "bytes": round(statistics.median(sizes)),
        "bytes_most": max(sizes),
    }


def changes(screen: Screen, writes: Sequence[Callable[[], None]]) -> dict[str, object]:
    """From a change on disk to the screen, of those that came there within 10 seconds."""
    waits: list[float] = []
    costs: list[float] = []
    for write in writes:
        screen.quiet(1.2)
        before, cpu, began = screen.text, screen.cpu, time.monotonic()
        write()
        if not screen.until(partial(_differs, screen, before), 10):
            continue
        waits.append(time.monotonic() - began)
        screen.quiet(0.3)
        costs.append(screen.cpu - cpu)
    found: dict[str, object] = {"seen": f"{len(waits)} of {len(writes)}"}
    if waits:
        found["median_ms"] = round(statistics.median(waits) * 1000)
        found["most_ms"] = round(max(waits) * 1000)
        found["cpu_ms"] = round(statistics.mean(costs) * 1000)
    return found


def _differs(screen: Screen, before: str) -> bool:
    return screen.text != before


def finish(workspace: WorkspacePaths, key: JobKey) -> None:
    """End a running job as its supervisor would."""
    job = workspace.job(key)
    end = End("e" * 32, Outcome.DONE, now(), processes.own_identity(), exit_code=0)
    publish(job.end(1), dumps(end.to_json()))
    with open(job.summary, "rb") as file:
        summary = json.load(file)
    summary.update(outcome="done", ended=end.at, exit_code=0)
    write_atomic(job.summary, dumps(summary))


def idle(screen: Screen, seconds: float = 20.0) -> dict[str, object]:
    """What nothing costs, once what follows a start is done: remembering, the survey, watches."""
    waited = settle(screen)
    found = cost(screen, seconds)
    return {
        "cpu_percent": round(found.percent, 2),
        "bytes_per_s": round(found.bytes / found.seconds),
        "waited": waited,
    }


def measure(workspace: WorkspacePaths, cache: Path) -> dict[str, object]:
    command = ours(Path(workspace.root))
    found: dict[str, object] = {"cold": start(command, cache, has_rows)}
    found["warm"] = start(command, cache, has_rows)
    live = [key for key in list_jobs(workspace) if read_job(workspace, key).state.live]
    screen = Screen(command, cache=cache)
    try:
        screen.until(lambda: has_rows(screen) and "checking" not in screen.text)
        found["idle"] = idle(screen)
        found["keys_tree"] = keys(screen, ["j", "k", "j", "j", "l", "j", "j", "k"])
        found["keys_filter"] = keys(screen, ["/", *"lr>0.01 -ranker:bm25"])
        screen.type("\r")
        screen.quiet(0.5)
        screen.type("\x1b")
        screen.quiet(1.0)
        screen.type("\x1b")
        screen.quiet(1.0)
        writes = [partial(finish, workspace, key) for key in live[:11]]
        found["change"] = changes(screen, writes)
    finally:
        screen.close()
    return found


def measure_peer(python: str, workspace: Path, cache: Path) -> dict[str, object]:
    """The same of the monitor of experimaestro, but for changes: nothing is run here."""
    found: dict[str, object] = {}
    screen = Screen(monitor(python, workspace), cache=cache)
    try:
        if not screen.until(lambda: "grid00" in screen.text):
            return {"first_rows_s": None, "screen": screen.text}
        found["experiments_s"] = round(screen.seconds, 3)
        screen.quiet(0.1)
        screen.type("\t")
        screen.quiet(0.1)
        screen.type("\r")
        rows = screen.until(lambda: "ranker=" in screen.text)
        found["cold"] = {
            "first_rows_s": round(screen.seconds, 3) if rows else None,
            "first_rows_cpu_s": round(screen.cpu, 3),
        }
        screen.rest()
        found["idle"] = idle(screen)
        found["keys_tree"] = keys(screen, ["\x1b[B", "\x1b[A"] * 4)
        found["keys_filter"] = search_key(screen)
        found["peak_mb"] = round(screen.megabytes)
    finally:
        screen.close()
    return found


def search_key(screen: Screen) -> dict[str, float]:
    """What one key in its search costs; there is no end to a second one."""
    screen.type("/")
    screen.rest()
    before, cpu, began = screen.bytes, screen.cpu, time.monotonic()
    screen.type("l")
    frame = screen.rest(120) - began
    return {
        "frame_ms": round(frame * 1000),
        "cpu_ms": round((screen.cpu - cpu) * 1000),
        "bytes": screen.bytes - before,
    }


def side_by_side(ours: dict[str, object], peer: dict[str, object]) -> str:
    """Both as a table, a figure a line."""
    here, there = dict(_flat(ours)), dict(_flat(peer))
    lines = [f"{'':28} {'xpm-tui':>12} {'experimaestro':>14}"]
    lines += [
        f"{name:28} {here.get(name, '-')!s:>12} {there.get(name, '-')!s:>14}"
        for name in dict.fromkeys((*here, *there))
    ]
    return "\n".join(lines)


def _flat(figures: object, before: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(figures, dict):
        for name, value in cast("dict[str, object]", figures).items():
            yield from _flat(value, f"{before} {name}".strip())
    else:
        yield before, figures


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--peer", metavar="PYTHON", help="one with experimaestro 2.7.0")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shape = Shape(options.jobs, experiments=max(2, min(10, options.jobs // 100)))
        workspace = make(folder / "ours", shape)
        load = os.getloadavg()[0]
        found = measure(workspace, folder / "cache")
        print(json.dumps({"jobs": options.jobs, "load": round(load, 1), **found}, indent=2))
        if options.peer is not None:
            theirs = make_peer(folder / "theirs", shape)
            peer = measure_peer(options.peer, theirs, folder / "cache")
            print(side_by_side(found, peer))


if __name__ == "__main__":
    main()
