"""The driver's end of the warm helper: start it, ask it to fork, start it again if it died."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import IO, Any

from xpm_engine.errors import UnreadableError
from xpm_engine.launchers.base import LaunchOrder
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.identity import ProcessIdentity

PATIENCE = 120.0
"""Seconds to wait for an answer: the first one waits for the plan's imports."""


@dataclass(frozen=True)
class Forked:
    """A supervisor that the helper has forked."""

    pid: int
    process: ProcessIdentity


@dataclass(frozen=True)
class Refused:
    """The helper can't fork this job; a fresh interpreter can run it."""

    why: str


class WarmHelper:
    """One helper process, started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._answers: IO[bytes] | None = None
        self._environment: dict[str, str] | None = None
        """What the helper was last told of this process's environment."""

    def fork(self, order: LaunchOrder) -> Forked | Refused:
        """Have a supervisor forked for an order."""
        trouble = ""
        for _ in range(2):
            try:
                return _read(self._ask(order))
            except (OSError, ValueError, UnreadableError) as error:
                # It died, or is stuck. Asking again is safe: of two supervisors with one nonce
                # only one wins N.start.
                trouble = f"the warm helper failed: {type(error).__name__}: {error}"
                self.close()
        return Refused(trouble)

    def close(self) -> None:
        """End the helper; what it forked goes on."""
        if self._answers is not None:
            self._answers.close()
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._socket = self._answers = self._environment = None

    def _ask(self, order: LaunchOrder) -> bytes:
        if self._socket is None:
            self._start(order.log)
        assert self._socket is not None
        assert self._answers is not None
        request: dict[str, object] = {
            "root": order.job.root,
            "attempt": order.attempt,
            "nonce": order.nonce,
            "log": order.log,
        }
        environment = dict(os.environ)
        if environment != self._environment:
            request["environment"] = self._environment = environment
        self._socket.sendall(json.dumps(request).encode("ascii") + b"\n")
        return self._answers.readline()

    def _start(self, log: str) -> None:
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        number = theirs.fileno()
        with theirs, open(log, "ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "xpm_engine.runtime.warm", str(number)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=[number],
            )
        self._socket = ours
        self._answers = ours.makefile("rb")


def _read(line: bytes) -> Forked | Refused:
    """Raises ValueError or UnreadableError for anything that is no answer."""
    answer: Any = json.loads(line)
    if "refused" in answer:
        return Refused(str(answer["refused"]))
    fields = Fields(answer, "the warm helper's answer")
    return Forked(fields.integer("pid"), ProcessIdentity.read(fields.part("process")))
