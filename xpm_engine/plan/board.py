"""The jobs of a run and how far each is: what waits for what, whose turn it is; no I/O."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xpm_engine.plan.node import Node, Stage
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Reason, Wait, WaitKind
from xpm_engine.workspace.records.runs import How


@dataclass
class Counts:
    """How many jobs of the run are where."""

    total: int = 0
    done: int = 0
    reused: int = 0
    failed: int = 0
    blocked: int = 0
    drifted: int = 0

    @property
    def open(self) -> int:
        """Those that are not over."""
        return self.total - self.done - self.failed - self.blocked - self.drifted


class Board:
    """Every job of a run; changed by the scheduler's thread alone."""

    def __init__(self, on_end: Callable[[Node], None] | None = None) -> None:
        """`on_end` is called once for each job that is over for this run."""
        self.nodes: dict[JobKey, Node] = {}
        self.counts = Counts()
        self.changed = False
        """Whether what `waits` tells has changed since it was asked."""
        self._ready: list[tuple[int, int, Node]] = []
        self._sequence = 0
        self._on_end = on_end

    def add(self, node: Node) -> None:
        """A new job, that waits for nothing yet."""
        self.nodes[node.key] = node
        self.counts.total += 1

    def connect(self, node: Node) -> None:
        """Let a job wait for those it depends on; it is ready, or blocked, if none is left.

        What it depends on and this run does not know is left to the job's own process, which
        looks for its results before it executes.
        """
        node.stage = Stage.WAITING
        node.waits_for.clear()
        for key in node.order.dependencies:
            upstream = self.nodes.get(key)
            if upstream is None or upstream.stage is Stage.DONE:
                continue
            if upstream.stage.over:
                self._block(node, upstream)
                return
            upstream.dependants.append(node)
            node.waits_for.add(key)
        self.changed = True
        if not node.waits_for:
            self.make_ready(node)

    def make_ready(self, node: Node) -> None:
        """Put a job in the queue, behind those of its priority."""
        node.stage = Stage.READY
        self._sequence += 1
        heapq.heappush(self._ready, (-node.options.priority, self._sequence, node))
        self.changed = True

    @property
    def has_ready(self) -> bool:
        """Whether a job waits for its turn."""
        return bool(self._ready)

    def next_ready(self) -> Node | None:
        """Take the job whose turn it is out of the queue."""
        while self._ready:
            _, _, node = heapq.heappop(self._ready)
            self.changed = True
            if node.stage is Stage.READY:
                return node
        return None

    def end(self, node: Node, stage: Stage, reason: Reason | None = None) -> None:
        """A job is over: those behind it become ready, or are blocked."""
        node.reason = reason
        self._finish(node, stage)
        for dependant in node.dependants:
            if stage is not Stage.DONE:
                self._block(dependant, node)
                continue
            dependant.waits_for.discard(node.key)
            if not dependant.waits_for and dependant.stage is Stage.WAITING:
                self.make_ready(dependant)
        node.dependants.clear()

    def waits(self) -> Iterator[Wait]:
        """Why each job that is neither over nor launched is not."""
        self.changed = False
        queue = [node for _, _, node in sorted(self._ready) if node.stage is Stage.READY]
        places = {node.key: place for place, node in enumerate(queue, start=1)}
        for node in self.nodes.values():
            if node.stage is Stage.WAITING:
                yield Wait(node.key, WaitKind.DEPENDENCY, on=tuple(sorted(node.waits_for)))
            elif node.stage is Stage.READY:
                yield Wait(node.key, WaitKind.CORE, place=places.get(node.key, 0))
            elif node.stage is Stage.BLOCKED:
                yield Wait(node.key, WaitKind.UPSTREAM_FAILED, on=node.blamed)

    def _block(self, node: Node, because: Node) -> None:
        """Mark a job, and all behind it, as blocked."""
        stack = [(node, because)]
        while stack:
            blocked, cause = stack.pop()
            if blocked.stage not in (Stage.WAITING, Stage.READY):
                continue
            blocked.blamed = (cause.key, *cause.blamed)
            self._finish(blocked, Stage.BLOCKED)
            stack.extend((dependant, blocked) for dependant in blocked.dependants)

    def _finish(self, node: Node, stage: Stage) -> None:
        node.stage = stage
        counts = self.counts
        counts.done += stage is Stage.DONE
        counts.reused += stage is Stage.DONE and node.how is How.REUSED
        counts.failed += stage is Stage.FAILED
        counts.blocked += stage is Stage.BLOCKED
        counts.drifted += stage is Stage.DRIFTED
        self.changed = True
        if self._on_end is not None:
            self._on_end(node)
