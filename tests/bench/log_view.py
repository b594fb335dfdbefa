"""The app on a log of one gigabyte: opened, searched, followed while 50,000 lines a second come.

Run as ``python -m tests.bench.log_view [MEGABYTES] [LINES_A_SECOND]``. Prints seconds of the clock
and, as others may use the machine, of this process; memory is what the log added to the app's.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.tui.driving import Driven
from tests.tui.workspaces import FakeJob, FakeWorkspace
from xpm_tui.store import RunKey
from xpm_tui.widgets.log.view import LogView

FOLLOWED = 10.0
"""Seconds for which lines come."""

RUN = RunKey("bench", "20261123-091200")
JOB = FakeJob("bench.learn", "one")

LINE = "2026-11-23 05:52:{0:02d} INFO epoch {1} batch {0} loss={2:.5f} shard-{3:04d} {4}\n"

WRITER = """
import sys, time
path, rate, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
began, count, step = time.monotonic(), 0, max(1, rate // 100)
with open(path, "ab", buffering=0) as file:
    while (now := time.monotonic() - began) < seconds:
        if count < now * rate:
            numbers = range(count, count + step)
            file.write(b"".join(b"line %d loss 0.4127 of a task\\n" % n for n in numbers))
            count += step
        else:
            time.sleep(0.002)
    file.write(b"the last line of %d\\n" % count)
print(count)
"""


def write_log(path: str, megabytes: int) -> None:
    """Lines as tasks write them, and one that is worth a search, at the end."""
    lines = [
        LINE.format(number % 60, number % 7, 1 / (number + 1), number % 1000, "x" * (number % 40))
        for number in range(40_000)
    ]
    block = "".join(lines).encode()
    with Path(path).open("wb") as file:
        while file.tell() < megabytes * 1_000_000:
            file.write(block)
        file.write(b"OSError: [Errno 5] Input/output error: the Needle in it\n")


class Watch:
    """Seconds of the clock and of this process since it was made."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._wall, self._own = time.perf_counter(), time.process_time()

    def stop(self, more: str = "") -> None:
        wall, own = time.perf_counter() - self._wall, time.process_time() - self._own
        print(f"{self._name:34}{wall:8.2f} s  {own:8.2f} s of its own  {more}")


async def until(true: Callable[[], object]) -> None:
    """Wait as the screen does: without a test's pauses."""
    while not true():
        await asyncio.sleep(0.005)


def text(app: Driven) -> str:
    """What stands on the screen."""
    return "\n".join(app.lines())


async def measure(workspace: FakeWorkspace, megabytes: int, rate: int) -> None:
    """Open, search, follow."""
    paths = workspace.start(JOB, run=str(RUN), levels=[(0.5, "epoch 1/2")])
    workspace.run(RUN.experiment, [JOB], run=RUN.run)
    path = paths.stdout(1)
    write_log(path, megabytes)
    driven = Driven(workspace)
    process = psutil.Process()
    async with driven.at((120, 40)) as app:
        assert app.tree.reveal(JOB.key, RUN)
        await app.settle()
        before = process.memory_info().rss
        watch = Watch("opened, its end on the screen")
        app.main.action_act("log")
        await until(lambda: "the Needle in it" in text(app))
        watch.stop()
        view = app.app.focused
        assert isinstance(view, LogView)
        watch = Watch("all lines counted")
        await until(lambda: view.status.lines is not None)
        watch.stop(f"{view.status.lines or 0:,} lines")
        await app.pilot.press("g")
        await app.pilot.press("slash", *"needle")
        watch = Watch("searched")
        await app.pilot.press("enter")
        await until(lambda: view.status.hits is not None and not view.status.hits.more)
        watch.stop(f"{view.status.hits}")
        print(f"{'memory':34}{(process.memory_info().rss - before) / 1e6:+8.0f} MB")
        await app.pilot.press("G")
        await app.pilot.pause()
        if not view.status.following:
            await app.pilot.press("f")
        before = process.memory_info().rss
        watch = Watch(f"followed for {FOLLOWED:.0f} s")
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, path, str(rate), str(FOLLOWED)], stdout=subprocess.PIPE
        )
        while writer.poll() is None:
            await asyncio.sleep(0.05)
        ended = time.perf_counter()
        await until(lambda: "the last line of" in text(app))
        lag = time.perf_counter() - ended
        assert writer.stdout is not None
        count = int(writer.stdout.read())
        watch.stop(f"{count / FOLLOWED:,.0f} lines a second, the last shown {lag:.2f} s after it")
        print(f"{'memory':34}{(process.memory_info().rss - before) / 1e6:+8.0f} MB")


def main() -> None:
    """Print the figures."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(FakeWorkspace(Path(folder)), megabytes, rate))


if __name__ == "__main__":
    main()
