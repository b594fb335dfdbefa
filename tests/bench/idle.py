"""What an idle app costs: ``python -m tests.bench.idle [--jobs N] [--seconds S]``.

Opens the app on a workspace of N jobs in terminals of 120×40 and 80×24 cells, and prints what it
takes while nobody touches it, in parts of a core: with a hundred running jobs, and with the log of
one of them followed, to which ten lines a second are written. A line each stands for an app of
Textual's that shows one word, measured in the same way right before: what is left is ours.

The running jobs are processes that live, one each, with their sign of life every 30 s as
supervisors give it; with ``--progress S`` each also says every S seconds how far it is. An idle
second is not one in which something is still worked out after the start: it is waited until the
screen says that everything was checked, and until ten seconds in a row had no work in them (what
that is: `spending.settle`); then it is measured for ``--seconds``. When that was is printed.

``--workspace DIR`` keeps the workspace for the next time. Processor times say what they should on a
machine that has something else to do, too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.app import ours
from tests.bench.screen import WIDE, Screen
from tests.bench.spending import cost, settle
from tests.big_workspace import Shape, make, revive
from xpm_engine.runtime.waiting import ALIVE_INTERVAL
from xpm_engine.workspace import processes
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.jobs import Progress, ProgressLevel

SIZES = (WIDE, (80, 24))
NOTHING = """
from textual.app import App
from textual.widgets import Static

class Nothing(App):
    def compose(self):
        yield Static("nothing")

Nothing().run()
"""


@dataclass
class Living:
    """The running jobs, alive until it is closed."""

    workspace: WorkspacePaths
    jobs: dict[JobKey, subprocess.Popen[bytes]]
    progress: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    writing: JobKey | None = None
    """The one that writes ten lines a second."""

    def start(self) -> None:
        threading.Thread(target=self._beat, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        for process in self.jobs.values():
            process.kill()
        for process in self.jobs.values():
            process.wait()

    def _beat(self) -> None:
        """Signs of life, spread as those of processes that began at any time."""
        keys = list(self.jobs)
        alive = [ALIVE_INTERVAL * number / len(keys) for number in range(len(keys))]
        told = [self.progress * number / len(keys) for number in range(len(keys))]
        began = time.monotonic()
        while not self._stop.wait(0.05):
            passed = time.monotonic() - began
            for number, key in enumerate(keys):
                job = self.workspace.job(key)
                if passed > alive[number]:
                    alive[number] += ALIVE_INTERVAL
                    with open(job.alive, "a", encoding="ascii"):
                        os.utime(job.alive)
                if self.progress and passed > told[number]:
                    told[number] += self.progress
                    level = ProgressLevel(passed / 10_000 % 1, "epoch 3/5")
                    write_atomic(
                        job.progress, dumps(Progress(1, now(), 600 + passed, (level,)).to_json())
                    )

    def _write(self) -> None:
        number = 0
        while not self._stop.wait(0.1):
            if self.writing is None:
                continue
            number += 1
            with open(self.workspace.job(self.writing).stdout(1), "a", encoding="utf-8") as file:
                file.write(f"{number} a line of a log: loss={1 / number:.5f}\n")


@contextmanager
def living(root: Path, progress: float) -> Generator[Living, None, None]:
    """Give every running job a process of its own."""
    lives = Living(WorkspacePaths.at(root), {}, progress)

    def begin(key: JobKey) -> ProcessIdentity:
        process = lives.jobs[key] = subprocess.Popen(
            ["cat"], stdin=subprocess.PIPE, start_new_session=True
        )
        log = Path(lives.workspace.job(key).stdout(1))
        log.parent.mkdir(exist_ok=True)
        log.write_bytes(b"it begins\n")
        identity = processes.identity_of(process.pid)
        assert identity is not None
        return identity

    try:
        revive(root, begin)
        lives.start()
        yield lives
    finally:
        lives.close()


def idleness(
    lives: Living, cache: Path, size: tuple[int, int], seconds: float
) -> Iterator[tuple[str, str]]:
    """What each of them costs."""
    nothing = Screen([sys.executable, "-c", NOTHING], cache=cache, size=size)
    try:
        nothing.until(lambda: "nothing" in nothing.text)
        nothing.quiet(2.0)
        yield "an app with nothing", cost(nothing, seconds / 2).words()
    finally:
        nothing.close()
    screen = Screen(ours(Path(lives.workspace.root)), cache=cache, size=size)
    try:
        screen.until(lambda: "● live" in screen.text or "◌ every" in screen.text)
        waited = f"checked after {screen.seconds:.0f} s, {settle(screen)}"
        found = cost(screen, seconds)
        yield f"idle, {len(lives.jobs)} running", f"{found.words()}   ({waited})"
        key = next(iter(lives.jobs))
        lives.writing = key
        open_log(screen, key)
        if not screen.until(lambda: "a line of a log" in screen.text, 10):
            raise SystemExit(f"the log is not on the screen:\n{screen.text}")
        cost(screen, 3.0)
        yield "a log followed", cost(screen, seconds).words()
    finally:
        lives.writing = None
        screen.close()


def open_log(screen: Screen, key: JobKey) -> None:
    """Go to a job in the palette, and to its log."""
    digits = key.identifier[:6]
    screen.type(":")
    screen.until(lambda: "enter do it" in screen.text)
    screen.type(key.identifier[:8])
    screen.until(lambda: "1 match" in screen.text)
    screen.type("\r")
    screen.until(lambda: "enter do it" not in screen.text and digits in screen.text)
    # The right side follows.
    cost(screen, 1.0)
    screen.type("L")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--progress", type=float, default=0.0)
    parser.add_argument("--workspace", type=Path, help="kept, and used again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder: Path = options.workspace or Path(name, "ws")
        if not folder.exists():
            make(folder, Shape(options.jobs))
        with living(folder, options.progress) as lives:
            for size in SIZES:
                for what, words in idleness(lives, Path(name, "cache"), size, options.seconds):
                    print(f"{size[0]}×{size[1]}  {what:22} {words}", flush=True)


if __name__ == "__main__":
    main()
