"""The jobs of a run and how far each is: what waits for what, whose turn it is; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xpm_engine.config.order import SharedFolder
from xpm_engine.plan.node import NOT_STARTED, Node, Stage
from xpm_engine.plan.ready import ReadyQueue
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.reasons import Reason, Wait, WaitKind
from xpm_engine.workspace.records.runs import How
from xpm_engine.workspace.records.tickets import awaited


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

    def __init__(
        self,
        on_end: Callable[[Node], None] | None = None,
        keeps: Callable[[Node], bool] | None = None,
    ) -> None:
        """`on_end` is called once for each job that is over for this run.

        `keeps` is asked of each that is made from others and waits for none of them any more: True
        where whoever is asked makes it ready later.
        """
        self.keeps = keeps
        self.nodes: dict[JobKey, Node] = {}
        self.counts = Counts()
        self._changed = False
        self._queues: dict[ReadyQueue, None] = {}
        """Those that jobs were ever ready in."""
        self.stopped_by: JobKey | None = None
        """The job for whose failure nothing more is started."""
        self._sharing: dict[SharedFolder, Node] = {}
        """Who has each shared folder: one running job at a time."""
        self._on_end = on_end

    @property
    def changed(self) -> bool:
        """Whether what `waits` tells has changed since it was asked."""
        return self._changed or any(queue.changed for queue in self._queues)

    @changed.setter
    def changed(self, value: bool) -> None:
        self._changed = value
        for queue in self._queues:
            queue.changed = queue.changed and value

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
        waits_for: set[JobKey] = set()
        for key in awaited(node.order.dependencies, node.order.early):
            upstream = self.nodes.get(key)
            if upstream is None or upstream.stage is Stage.DONE:
                continue
            if upstream.stage.over:
                self._block(node, upstream)
                return
            if upstream.dependants is None:
                upstream.dependants = []
            upstream.dependants.append(node)
            waits_for.add(key)
        node.waits_for = waits_for or None
        self.changed = True
        if not waits_for:
            self.make_ready(node)

    def make_ready(self, node: Node) -> None:
        """Put a job in the queue of its launcher, unless it is kept back.

        One that shares a folder with a job before it waits until that one is over.
        """
        if node.order.dependencies and self.keeps is not None and self.keeps(node):
            return
        if self._must_share(node):
            return
        node.stage = Stage.READY
        self._queues.setdefault(node.lane.ready)
        node.lane.ready.push(node)

    def tell_wait(self, node: Node, wait: Wait | None) -> None:
        """Why a job that was launched has not begun; None: nothing is known to be in its way."""
        self.changed = self.changed or wait != node.wait
        node.wait = wait

    def end(self, node: Node, stage: Stage, reason: Reason | None = None) -> None:
        """A job is over: those behind it become ready, or are blocked."""
        node.reason = reason
        self._finish(node, stage)
        for dependant in node.dependants or ():
            if stage is not Stage.DONE:
                self._block(dependant, node)
                continue
            if dependant.waits_for:
                dependant.waits_for.discard(node.key)
            if not dependant.waits_for and dependant.stage is Stage.WAITING:
                self.make_ready(dependant)
        if stage is Stage.DONE:
            node.dependants = None

    def reopen(self, node: Node) -> None:
        """A job that was done has lost its result: it is run again."""
        self.counts.done -= 1
        self.counts.reused -= node.how is How.REUSED
        node.how = How.NEW
        self.connect(node)

    def revive(self, node: Node) -> None:
        """A job that had ended badly is tried again by somebody: it is open, and all behind it."""
        behind: dict[JobKey, Node] = {}
        stack = [node]
        while stack:
            for dependant in stack.pop().dependants or ():
                if dependant.stage is Stage.BLOCKED and dependant.key not in behind:
                    behind[dependant.key] = dependant
                    stack.append(dependant)
        self.counts.failed -= 1
        self.counts.blocked -= len(behind)
        for each in (node, *behind.values()):
            each.stage = Stage.WAITING
            each.blamed = ()
            each.behind_drift = False
            each.reason = None
            each.dependants = None
        for each in behind.values():
            # One that is blocked by another job as well stays so.
            self.connect(each)
        self.changed = True

    def postpone(self, node: Node, reason: Reason, until: str) -> None:
        """A job has ended badly, and is ready again at that time."""
        node.stage = Stage.RETRYING
        node.reason, node.until = reason, until
        self.changed = True
        self._leave_shared(node)

    @property
    def running(self) -> bool:
        """Whether a job was launched, or is followed, that is not over."""
        nodes = list(self.nodes.values())  # others may ask while the scheduler adds to them
        return any(node.stage in (Stage.LAUNCHED, Stage.FOLLOWED) for node in nodes)

    def waits(self) -> Iterator[Wait]:
        """Why each job that is not over, and has not begun, has not."""
        self.changed = False
        turns = {wait.key: wait for queue in self._queues for wait in queue.waits()}
        for node in self.nodes.values():
            if self.stopped_by is not None and node.stage in NOT_STARTED:
                yield Wait(node.key, WaitKind.STOPPED, on=(self.stopped_by,))
            elif node.shares_with is not None and node.stage is Stage.WAITING:
                yield Wait(node.key, WaitKind.SHARED, on=(node.shares_with.key,))
            elif node.stage is Stage.WAITING:
                yield Wait(node.key, WaitKind.DEPENDENCY, on=tuple(sorted(node.waits_for or ())))
            elif node.stage is Stage.READY:
                yield turns.get(node.key) or Wait(node.key, WaitKind.CORE)
            elif node.stage is Stage.RETRYING and node.reason is not None:
                yield Wait(node.key, WaitKind.RETRY, what=node.reason.text, until=node.until)
            elif node.stage in (Stage.BRINGING, Stage.LAUNCHED, Stage.FOLLOWED) and node.wait:
                yield node.wait
            elif node.stage is Stage.BLOCKED:
                what = "is drifted" if node.behind_drift else ""
                yield Wait(node.key, WaitKind.UPSTREAM_FAILED, on=node.blamed, what=what)

    def _must_share(self, node: Node) -> bool:
        """Whether another job has a folder of this one; if not, they are its own now."""
        folders = node.order.shared
        holders = [self._sharing.get(folder) for folder in folders]
        holder = next((each for each in holders if each not in (None, node)), None)
        node.shares_with = holder
        if holder is None:
            self._sharing.update((folder, node) for folder in folders)
            return False
        node.stage = Stage.WAITING
        if holder.sharers is None:
            holder.sharers = []
        holder.sharers.append(node)
        self.changed = True
        return True

    def _leave_shared(self, node: Node) -> None:
        """Give the shared folders of a job to the next that waits for them."""
        for folder in node.order.shared:
            if self._sharing.get(folder) is node:
                del self._sharing[folder]
        waiting, node.sharers = node.sharers or (), None
        for sharer in waiting:
            if sharer.stage is Stage.WAITING:
                self.make_ready(sharer)

    def _block(self, node: Node, because: Node) -> None:
        """Mark a job, and all behind it, as blocked."""
        stack = [(node, because)]
        while stack:
            blocked, cause = stack.pop()
            if blocked.stage not in (Stage.WAITING, Stage.READY):
                continue
            blocked.blamed = (cause.key, *cause.blamed)
            blocked.behind_drift = cause.behind_drift or cause.stage is Stage.DRIFTED
            self._finish(blocked, Stage.BLOCKED)
            stack.extend((dependant, blocked) for dependant in blocked.dependants or ())

    def _finish(self, node: Node, stage: Stage) -> None:
        node.stage = stage
        counts = self.counts
        counts.done += stage is Stage.DONE
        counts.reused += stage is Stage.DONE and node.how is How.REUSED
        counts.failed += stage is Stage.FAILED
        counts.blocked += stage is Stage.BLOCKED
        counts.drifted += stage is Stage.DRIFTED
        self.changed = True
        self._leave_shared(node)
        if self._on_end is not None:
            self._on_end(node)
