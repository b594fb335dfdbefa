"""Records for tests: each with everything filled in, and only what matters left to say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import End, Launch, LaunchedBy, Start

KEY = JobKey("ir.bm25", "0123456789abcdef" * 2)


def launch(key: JobKey = KEY, attempt: int = 1, **changes: Any) -> Launch:
    """An order by this process."""
    made = Launch(
        nonce=tickets.new_nonce(),
        key=key,
        attempt=attempt,
        by=LaunchedBy.PLAN,
        at=now(),
        driver=processes.own_identity(),
        run="drmm/20261123-091200-ab12",
    )
    return replace(made, **changes)


def start(by: ProcessIdentity | None = None, **changes: Any) -> Start:
    """A supervisor's start."""
    made = Start(
        nonce=tickets.new_nonce(),
        launch="",
        by=processes.own_identity() if by is None else by,
        at=now(),
        user="ada",
    )
    return replace(made, **changes)


def end(outcome: Outcome = Outcome.DONE, **changes: Any) -> End:
    """An end by this process."""
    made = End(nonce=tickets.new_nonce(), outcome=outcome, at=now(), by=processes.own_identity())
    return replace(made, **changes)


def dead_process() -> ProcessIdentity:
    """The identity of a process of this machine that lived, and is gone."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        identity = processes.identity_of(process.pid)
        process.kill()
    assert identity is not None
    return identity
