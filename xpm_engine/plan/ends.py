"""Telling the plan that jobs are over: callbacks in its own thread, and those who wait for one."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from xpm_engine.plan import report
from xpm_engine.plan.node import Node, Stage
from xpm_engine.tracebacks import format_users_part, in_words
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import How


class EndState(Enum):
    """How a job is over, for a plan."""

    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    """Something upstream failed."""
    DRIFTED = "drifted"
    """Its result was made with other defaults."""


_STATES = {
    Stage.DONE: EndState.DONE,
    Stage.FAILED: EndState.FAILED,
    Stage.BLOCKED: EndState.BLOCKED,
    Stage.DRIFTED: EndState.DRIFTED,
}


@dataclass(frozen=True)
class JobEnd:
    """A job that is over: what a callback is given."""

    key: JobKey
    state: EndState
    reused: bool
    """Whether it was done before this run."""
    why: str
    """Why it did not end well; empty for one that is done."""
    folder: Path
    tags: dict[str, Any]
    _read: Callable[[JobKey], Any] = field(repr=False, compare=False)

    @property
    def done(self) -> bool:
        """Whether its result is there."""
        return self.state is EndState.DONE

    def result(self) -> Any:
        """What its `execute` returned; raises as `Task.result` does."""
        return self._read(self.key)


Callback = Callable[[JobEnd], object]


class Ends:
    """Who wants to know of which job's end; each is told once."""

    def __init__(self, read: Callable[[JobKey], Any]) -> None:
        """`read` gives the result of a job that is over."""
        self._read = read
        self._lock = threading.Lock()
        self._of_all: list[Callback] = []
        self._of_job: dict[JobKey, list[Callback]] = {}
        self._nodes: dict[JobKey, Node] = {}
        """Those that are over, for callbacks that come later."""
        self._pending: deque[tuple[Callback, JobEnd]] = deque()
        self._waiters: defaultdict[JobKey, list[Callable[[], None]]] = defaultdict(list)

    @property
    def pending(self) -> bool:
        """Whether a callback is due."""
        return bool(self._pending)

    def add(self, callback: Callback, keys: Iterable[JobKey] | None) -> None:
        """Call `callback` once for each of these jobs, or for all, also those that are over."""
        with self._lock:
            if keys is None:
                self._of_all.append(callback)
                over = list(self._nodes.values())
            else:
                wanted = list(keys)
                for key in wanted:
                    self._of_job.setdefault(key, []).append(callback)
                over = [self._nodes[key] for key in wanted if key in self._nodes]
            self._pending.extend((callback, self._end_of(node)) for node in over)

    def call(self, key: JobKey, wake: Callable[[], None]) -> None:
        """Call `wake`, from any thread, when the job is over or nothing more will come of it."""
        with self._lock:
            node = self._nodes.get(key)
            # One that was over may be tried again by somebody.
            if node is None or not node.stage.over:
                self._waiters[key].append(wake)
                return
        wake()

    def over(self, node: Node) -> None:
        """A job is over; in the scheduler's thread. Told again, only those are told who wait."""
        with self._lock:
            first = node.key not in self._nodes
            self._nodes[node.key] = node
            callbacks = [*self._of_all, *self._of_job.get(node.key, ())] if first else []
            if callbacks:
                end = self._end_of(node)
                self._pending.extend((callback, end) for callback in callbacks)
            due = self._waiters.pop(node.key, [])
        for wake in due:
            wake()

    def release(self) -> None:
        """Nothing more will come of any job: all who wait may look for themselves."""
        with self._lock:
            due = [wake for waiting in self._waiters.values() for wake in waiting]
            self._waiters.clear()
        for wake in due:
            wake()

    def run_pending(self, log: Callable[[str], None]) -> None:
        """Call the callbacks that are due, in the thread of the plan; an error of one is told."""
        while self._pending:
            callback, end = self._pending.popleft()
            try:
                callback(end)
            except Exception as error:  # noqa: BLE001 (a user's callback may raise anything)
                name = getattr(callback, "__qualname__", repr(callback))
                text = f"the callback {name} for {end.key.task}/{end.key.short} raised"
                report.say(f"xpm: {text}\n{format_users_part(error).rstrip()}")
                log(f"{text} {in_words(error)}")

    def _end_of(self, node: Node) -> JobEnd:
        return JobEnd(
            key=node.key,
            state=_STATES[node.stage],
            reused=node.stage is Stage.DONE and node.how is How.REUSED,
            why=report.why(node),
            folder=Path(node.paths.root),
            tags=dict(node.tags),
            _read=self._read,
        )
