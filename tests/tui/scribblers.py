"""A process of its own that writes what fifty tasks write: their logs, and how far they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from tests.tui.workspaces import FakeJob, FakeWorkspace

PAUSE = 0.1
"""Seconds between two lines of a task."""

LINE = b"epoch 3 batch 812 \x1b[32mloss\x1b[0m 0.4127 caf\xe9\r 40 %\r 50 %\n"


@contextmanager
def writing(workspace: FakeWorkspace, jobs: Sequence[FakeJob]) -> Iterator[None]:
    """Tasks write to the logs that are there, and replace their progress; folders come and go."""
    roots = [workspace.paths.job(job.key).xpm for job in jobs]
    command = [sys.executable, "-m", __name__, *roots]
    with subprocess.Popen(command) as process:
        try:
            yield
        finally:
            process.kill()


def write_once(root: str, count: int) -> None:
    """What one task writes at its turn; nothing where its folder is gone."""
    with suppress(OSError):
        log = f"{root}/logs/1.{('out', 'err')[count % 2]}"
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            os.write(descriptor, LINE)
        finally:
            os.close(descriptor)
    if count % 10:
        return
    with suppress(OSError):
        levels = [{"fraction": (count % 100) / 100, "text": f"epoch {count}"}]
        told = {"v": 1, "attempt": 1, "at": "2026-11-23T12:00:00.000000Z", "levels": levels}
        with open(f"{root}/progress.json.tmp", "w", encoding="utf-8") as file:
            json.dump({**told, "seconds": float(count)}, file)
        os.replace(f"{root}/progress.json.tmp", f"{root}/progress.json")


def main(roots: Sequence[str]) -> None:
    """Write until killed, or until whoever asked for it is gone."""
    parent = os.getppid()
    count = 0
    while os.getppid() == parent:
        for root in roots:
            write_once(root, count)
        count += 1
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(sys.argv[1:])
