"""Whether the screen stands still while sizes are measured: ``python tests/bench/plan_screen.py``.

Writes a workspace of ``--jobs`` finished jobs that a later run replaced, opens the app on it
without a terminal, then its plan to clean them, and counts how late the app's own event loop wakes
up until all sizes are known; then what keys cost on that plan. Prints JSON, in seconds: a key that
is pressed meanwhile waits so long at the most. ``cpu`` is the processor's time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.obsolete import replace_half
from tests.big_workspace import Shape, make
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_tui.app import XpmApp
from xpm_tui.screens.clean import CleanScreen
from xpm_tui.screens.main import MainScreen
from xpm_tui.store import ObsoleteSubject
from xpm_tui.widgets.cleaning import plan_pane
from xpm_tui.widgets.cleaning.plan_table import PlanTable

TICK = 0.005


async def lateness(until: asyncio.Event) -> tuple[list[float], list[float]]:
    """How much later than asked the event loop woke up, and how busy it was, each time."""
    late: list[float] = []
    busy: list[float] = []
    while not until.is_set():
        before, used = time.perf_counter(), time.thread_time()
        await asyncio.sleep(TICK)
        late.append(time.perf_counter() - before - TICK)
        busy.append(time.thread_time() - used)
    return sorted(late), sorted(busy)


def summary(late: list[float]) -> dict[str, float]:
    """Of many times the middle one, nearly the worst, and the worst."""
    places = {"median": len(late) // 2, "99 %": len(late) * 99 // 100, "most": len(late) - 1}
    return {name: round(late[place], 4) for name, place in places.items()}


async def wait_for(true: Callable[[], bool]) -> None:
    """Until something is true."""
    while not true():
        await asyncio.sleep(TICK)


async def measure(workspace: WorkspacePaths) -> dict[str, object]:
    """Open the app and its plan, and press a few keys there."""
    found: dict[str, object] = {}
    app = XpmApp(workspace, events=False, survey=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await wait_for(lambda: app.store.checked == 1.0)
        main = next(screen for screen in app.screen_stack if isinstance(screen, MainScreen))
        done = asyncio.Event()
        counting = asyncio.create_task(lateness(done))
        began, busy = time.perf_counter(), time.process_time()
        app.push_screen(CleanScreen(main.plan_of(ObsoleteSubject())))
        await wait_for(lambda: bool(app.screen.query(PlanTable)))
        table = app.screen.query_one(PlanTable)
        await wait_for(lambda: table.removal is not None)
        found["plan shown"] = round(time.perf_counter() - began, 3)
        began = time.perf_counter()
        await wait_for(lambda: table.removal is not None and table.removal.measured)
        found["sizes known"] = round(time.perf_counter() - began, 3)
        found["cpu"] = round(time.process_time() - busy, 3)
        done.set()
        late, busy_loop = await counting
        found["late"], found["loop busy, cpu"] = summary(late), summary(busy_loop)
        assert table.removal is not None
        found["rows"], found["lines"] = len(table.removal.rows), len(table.model.shown)
        keys: dict[str, float] = {}
        for key in ("j", "space", "asterisk", "l", "G", "s", "s", "u"):
            busy = time.process_time()
            await pilot.press(key)
            await pilot.pause()
            keys[key] = round(max(keys.get(key, 0.0), time.process_time() - busy), 4)
        found["cpu of a key"] = keys
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    jobs = parser.parse_args().jobs
    plan_pane.GRACE = 0.0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        os.environ["XDG_STATE_HOME"] = f"{folder}/state"
        # Half of the experiments are replaced, so that twice as many jobs are needed.
        shape = Shape(2 * jobs, failed=0.02, running=0, waiting=0)
        workspace = make(Path(folder, "ws"), shape)
        replace_half(workspace)
        print(json.dumps(asyncio.run(measure(workspace)), indent=2))


if __name__ == "__main__":
    main()
