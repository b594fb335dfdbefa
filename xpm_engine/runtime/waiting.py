"""Waiting for a task to end, and ending it when it was asked to stop or is over its limits."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from xpm_engine.runtime import memory, outcomes, system
from xpm_engine.runtime.limits import Limits
from xpm_engine.runtime.outcomes import BadEnd, Ended
from xpm_engine.runtime.signals import Signals, signal_each, signal_group
from xpm_engine.workspace.layout import JobPaths
from xpm_engine.workspace.records.events import EventType

ALIVE_INTERVAL = 30.0
"""Seconds between two touches of ``.xpm/alive``."""

MEMORY_INTERVAL = 0.5
"""Seconds between two looks at the memory of a task that has a limit."""

SWEEP_GRACE = 2.0
"""Seconds that processes left behind by an ended task are given."""


@dataclass
class TaskWait:
    """One wait for one task, whose pid is also its process group."""

    job: JobPaths
    pid: int
    limits: Limits
    deadline: float | None
    """When (time.monotonic) its time is over."""
    signals: Signals
    tell: Callable[[EventType], None]
    """Notes what happened to the job."""
    kernel_kills: int
    """What `memory.kernel_kills` said before the task executed anything."""
    _stop: BadEnd | None = None
    _kill_at: float = 0.0
    _killed: bool = False
    _held: int = 0

    def wait(self) -> Ended:
        """Return when the task has ended, in whatever way."""
        memory_at = 0.0
        alive_at = time.monotonic() + ALIVE_INTERVAL
        while True:
            ended, status, usage = os.wait4(self.pid, os.WNOHANG)
            if ended:
                scale = 1024 if sys.platform == "linux" else 1
                killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
                return Ended(
                    status=status,
                    cpu_seconds=usage.ru_utime + usage.ru_stime,
                    peak_bytes=max(usage.ru_maxrss * scale, self._held),
                    stop=self._stop,
                    kernel_killed=killed and memory.kernel_kills() > self.kernel_kills,
                )
            clock = time.monotonic()
            if clock >= alive_at:
                alive_at = clock + ALIVE_INTERVAL
                self._touch_alive()
            due = [alive_at]
            if self.limits.memory is not None:
                if clock >= memory_at:
                    memory_at = clock + MEMORY_INTERVAL
                    self._check_memory(self.limits.memory)
                due.append(memory_at)
            if self.deadline is not None and self._stop is None:
                due.append(self.deadline)
            self._consider_stopping(clock)
            if self._stop is not None:
                due.append(clock + 1.0 if self._killed else self._kill_at)
            self.signals.wait(min(due) - clock)

    def _consider_stopping(self, clock: float) -> None:
        if self._stop is None:
            if self.signals.stop_asked:
                self._terminate(outcomes.asked_to_stop(), clock)
            elif self.deadline is not None and clock >= self.deadline:
                self._terminate(outcomes.out_of_time(self.limits.seconds or 0.0), clock)
        elif clock >= self._kill_at:
            self._kill()

    def _terminate(self, why: BadEnd, clock: float) -> None:
        self._stop = why
        self._kill_at = clock + self.limits.grace
        signal_group(self.pid, signal.SIGTERM)
        self.tell(EventType.TERMINATING)

    def _kill(self) -> None:
        signal_group(self.pid, signal.SIGKILL)
        if not self._killed:
            self._killed = True
            self.tell(EventType.KILLED)

    def _check_memory(self, limit: float) -> None:
        """End a task that holds too much at once: it can't save without taking even more."""
        processes = system.descendants()
        held = memory.held(processes, limit)
        self._held = max(self._held, held)
        if held > limit and not self._killed:
            self._stop = self._stop or outcomes.over_memory(held, limit)
            self._kill()
            signal_each(processes, signal.SIGKILL)

    def _touch_alive(self) -> None:
        with suppress(OSError), open(self.job.alive, "a", encoding="ascii"):
            os.utime(self.job.alive)


def sweep(group: int, signals: Signals) -> int:
    """End what an ended task left running; how many processes there were."""
    found: set[int] = set()
    deadline = time.monotonic() + SWEEP_GRACE
    last = deadline + SWEEP_GRACE
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return len(found)
        left = system.children(os.getpid())
        found.update(left)
        clock = time.monotonic()
        if clock > last:
            return len(found)
        number = signal.SIGTERM if clock < deadline else signal.SIGKILL
        signal_group(group, number)
        signal_each(left, number)
        signals.wait(0.05 if number == signal.SIGTERM else 0.01)
