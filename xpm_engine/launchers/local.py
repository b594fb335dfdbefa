"""This machine: every job a supervisor in a session of its own, which survives the plan."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from xpm_engine.errors import LaunchError
from xpm_engine.launchers.base import Capacity, Handle, LaunchOrder, Sight
from xpm_engine.workspace import processes

NAME = "local"


class LocalLauncher:
    """Starts each job in a fresh interpreter of this machine."""

    def __init__(self, *, cores: int | None = None) -> None:
        """`cores` bounds how many single-core jobs run at a time; default: this machine's."""
        self._cores = cores if cores is not None else usable_cores()
        self._started: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def name(self) -> str:
        return NAME

    def capacity(self) -> Capacity:
        return Capacity(cores=self._cores)

    def submit(self, orders: Sequence[LaunchOrder]) -> list[Handle]:
        return [self._start(order) for order in orders]

    def find(self, nonces: Sequence[str]) -> dict[str, Sight]:
        """A supervisor that has not started yet shows its nonce among its arguments."""
        running = processes.with_argument(nonces)
        return {nonce: Sight.COMING if nonce in running else Sight.GONE for nonce in nonces}

    def forget(self, handle: Handle) -> None:
        pid = handle.data.get("pid")
        process = self._started.pop(pid, None) if isinstance(pid, int) else None
        if process is not None:
            # The identity said that it ended: this collects its exit status, without waiting.
            process.poll()

    def close(self) -> None:
        for process in self._started.values():
            # A Popen that is dropped while its process runs would warn; it is meant to go on.
            process.returncode = process.poll() or 0
        self._started.clear()

    def _start(self, order: LaunchOrder) -> Handle:
        command = [
            sys.executable,
            "-P",
            "-m",
            "xpm_engine.runtime",
            order.job.root,
            str(order.attempt),
            order.nonce,
        ]
        try:
            with open(order.log, "ab") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise LaunchError(
                f"can't start a process: {error.strerror}", where=str(order.key)
            ) from error
        self._started[process.pid] = process
        return Handle(NAME, processes.identity_of(process.pid), {"pid": process.pid})


def usable_cores() -> int:
    """The cores that this process may use."""
    with suppress(AttributeError):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)
