"""Supervisors in processes of their own, with any function as their task."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from tests.engine.making import launch
from tests.patience import PATIENCE
from xpm_engine.runtime.context import JobContext
from xpm_engine.runtime.supervisor import supervise
from xpm_engine.workspace import scan, tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.tickets import Launch

Body = Callable[[JobContext, Launch, int], int]


def spawn(workspace: WorkspacePaths, body: Body, order: Launch) -> int:
    """Start a supervisor for `order` in a process of its own; its pid."""
    job = workspace.job(order.key)
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            supervise(JobContext(job, order.attempt, order.nonce), body)
        finally:
            os._exit(0)
    return pid


def run(workspace: WorkspacePaths, body: Body, order: Launch | None = None) -> scan.JobRecord:
    """Order a job, run it to its end, and read what its folder then tells."""
    order = launch() if order is None else order
    assert tickets.claim_launch(workspace.job(order.key), order)
    os.waitpid(spawn(workspace, body, order), 0)
    return scan.read_job(workspace, order.key)


def wait_for(condition: Callable[[], bool]) -> None:
    """Until the condition holds; fails after `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"nothing happened for {PATIENCE:g} s"
        time.sleep(0.01)
