"""What a living job uses now: processor and memory of its processes, through psutil."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from xpm_engine.workspace.processes import Liveness, liveness
from xpm_engine.workspace.records.identity import ProcessIdentity

if TYPE_CHECKING:
    from psutil import Process

SAMPLE = 0.25
"""Seconds over which processor time is measured."""


@dataclass(frozen=True)
class LiveUsage:
    """A process and all that descends from it."""

    cpu: float
    """Cores kept busy: 0.96 is 96 % of one."""
    memory: int
    """Resident bytes; pages that processes share count in each of them."""
    processes: int


def live_usage(identity: ProcessIdentity) -> LiveUsage | None:
    """What the process uses, measured for a quarter of a second; None unless it lives here then.

    Blocks that long: not for the UI thread.
    """
    import psutil

    if liveness(identity) is not Liveness.ALIVE:
        return None
    try:
        root = psutil.Process(identity.pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return None
    began = time.monotonic()
    before = [_cpu_seconds(process) for process in family]
    time.sleep(SAMPLE)
    after = [_cpu_seconds(process) for process in family]
    busy = sum(max(0.0, now - was) for was, now in zip(before, after, strict=True))
    memory = sum(map(_resident, family))
    if not memory:
        # It ended meanwhile: what nobody has waited for yet still has a process, without memory.
        return None
    return LiveUsage(
        cpu=busy / (time.monotonic() - began),
        memory=memory,
        processes=len(family),
    )


def _cpu_seconds(process: Process) -> float:
    """Processor seconds until now; 0 for a process that is gone, which `max` then leaves out."""
    import psutil

    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def _resident(process: Process) -> int:
    import psutil

    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0
