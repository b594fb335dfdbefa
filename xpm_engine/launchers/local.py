"""This machine: every job a supervisor in a session of its own, which survives the plan."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum

from xpm_engine.errors import LaunchError, StorageError
from xpm_engine.launchers import machine
from xpm_engine.launchers.base import Capacity, Coming, Handle, LaunchOrder, Sight
from xpm_engine.launchers.warm import Forked, WarmHelper
from xpm_engine.workspace import processes
from xpm_engine.workspace.atomic import append_bytes
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.reasons import Wait
from xpm_engine.workspace.records.resources import parse_size
from xpm_engine.workspace.records.tickets import Attempt
from xpm_engine.workspace.settings import LOCAL

NAME = LOCAL


class Isolation(Enum):
    """How a job's interpreter comes to be."""

    FORK = "fork"
    """Forked from a helper that has imported the plan's modules, where that is safe."""
    SPAWN = "spawn"
    """A fresh one for every job."""


class LocalLauncher:
    """Starts jobs on this machine."""

    def __init__(
        self,
        *,
        cores: int | None = None,
        memory: int | str | None = None,
        gpus: int | None = None,
        isolation: Isolation = Isolation.FORK,
    ) -> None:
        """`cores`, `memory` (bytes, or a text as ``"16GiB"``) and `gpus` bound what runs at a time.

        By default they are what this process may use of the machine. Raises UsageError.
        """
        self._capacity = Capacity(
            cores=machine.usable_cores() if cores is None else cores,
            memory=machine.usable_memory() if memory is None else parse_size(memory),
            devices=machine.usable_gpus() if gpus is None else tuple(map(str, range(gpus))),
            here=True,
        )
        self._helper = WarmHelper() if isolation is Isolation.FORK else None
        self._fresh: dict[int, subprocess.Popen[bytes]] = {}
        self._told: set[str] = set()

    @property
    def name(self) -> str:
        return NAME

    def capacity(self) -> Capacity:
        return self._capacity

    def submit(self, orders: Sequence[LaunchOrder]) -> list[Handle]:
        return [self._start(order) for order in orders]

    def knows(self, name: str) -> bool:
        return name == NAME

    def find(self, orders: Sequence[LaunchOrder]) -> dict[str, Sight]:
        """A fresh supervisor that has not started yet shows its nonce among its arguments.

        A forked one does not, for the instant before it wins its N.start; should its order be
        made void in that instant, it finds N.start taken and leaves.
        """
        nonces = [order.nonce for order in orders]
        running = processes.with_argument(nonces)
        return {nonce: Sight.COMING if nonce in running else Sight.GONE for nonce in nonces}

    def follow(self, job: JobPaths, attempt: Attempt) -> bool:
        return False

    def cancel(self, handles: Sequence[Handle]) -> None:
        """Its processes are asked by who knows them: all are of this machine."""

    def listen(self, heard: Callable[[JobKey], None]) -> None:
        """Nothing is to be heard: the ends of this machine's processes are."""

    def why_waits(self, key: JobKey) -> Wait | None:
        return None

    def reads(self, host: str) -> bool:
        return False

    def fetch(self, job: JobPaths, host: str, told: Callable[[Coming], None]) -> None:
        """Whoever runs jobs elsewhere fetches."""
        told(Coming(f"{NAME} knows no host {host}"))

    def bring(self, key: JobKey, patterns: Sequence[str]) -> None:
        """They are here."""

    def forget(self, handle: Handle) -> None:
        pid = handle.data.get("pid")
        process = self._fresh.pop(pid, None) if isinstance(pid, int) else None
        if process is not None:
            # The identity said that it ended: this collects its exit status, without waiting.
            process.poll()

    def close(self) -> None:
        if self._helper is not None:
            self._helper.close()
        for process in self._fresh.values():
            # A Popen that is dropped while its process runs would warn; it is meant to go on.
            process.returncode = process.poll() or 0
        self._fresh.clear()

    def _start(self, order: LaunchOrder) -> Handle:
        if self._helper is not None:
            answer = self._helper.fork(order)
            if isinstance(answer, Forked):
                return Handle(NAME, answer.process, {"pid": answer.pid})
            self._tell(order.log, answer.why)
        return self._start_fresh(order)

    def _tell(self, log: str, why: str) -> None:
        """Say once in the run's log why jobs are not forked."""
        if why not in self._told:
            self._told.add(why)
            with suppress(StorageError):
                line = f"{now()} a fresh interpreter for each job: {why}\n"
                append_bytes(log, line.encode("utf-8", "backslashreplace"))

    def _start_fresh(self, order: LaunchOrder) -> Handle:
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
        self._fresh[process.pid] = process
        return Handle(NAME, processes.identity_of(process.pid), {"pid": process.pid})
