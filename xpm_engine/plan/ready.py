"""The jobs of a plan that are ready for one launcher, the one whose turn it is first; no I/O."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import replace

from xpm_engine.plan.node import Node, Stage
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.pool.sharing import Shortage, wait_of
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.records.resources import Demand, Resource


class ReadyQueue:
    """Ready jobs in the order of their turn; changed by the scheduler's thread alone."""

    def __init__(self) -> None:
        self.host = ""
        """Where there is no room, for people; empty: this machine."""
        self.changed = False
        """Whether what `waits` tells has changed since it was asked."""
        self.has_unasked = False
        """Whether a job became ready of which it is not known that there is no room for it."""
        self._lines: dict[Demand, list[tuple[int, int, Node]]] = {}
        """A line for each demand: what holds back the first of it holds back all of it."""
        self._shortages: Mapping[Demand, Shortage] = {}
        self._sequence = 0

    def push(self, node: Node) -> None:
        """Put a job behind those of its priority."""
        self._sequence += 1
        line = self._lines.setdefault(node.demand, [])
        self.has_unasked = self.has_unasked or node.demand not in self._shortages
        heapq.heappush(line, (-node.options.priority, self._sequence, node))
        self.changed = True

    @property
    def has_ready(self) -> bool:
        """Whether a job waits for its turn."""
        return bool(self._lines)

    def by_turn(self) -> Iterator[Node]:
        """The ready jobs, the one whose turn it is first.

        One that is not taken before the next is asked for stays, and with it all that need the
        same.
        """
        heads = [line[0] for demand in list(self._lines) if (line := self._line(demand))]
        heapq.heapify(heads)
        while heads:
            _, _, node = heapq.heappop(heads)
            yield node
            line = self._line(node.demand)
            if line and line[0][2] is not node:
                heapq.heappush(heads, line[0])

    def take(self, node: Node) -> None:
        """Take the job that `by_turn` has just named out of the queue."""
        heapq.heappop(self._lines[node.demand])
        self._line(node.demand)
        self.changed = True

    def tell_shortages(self, shortages: Mapping[Demand, Shortage]) -> None:
        """Why those that are ready were not launched, by what they need."""
        self.changed = self.changed or shortages != self._shortages
        self._shortages = shortages
        self.has_unasked = False

    def waits(self) -> Iterator[Wait]:
        """What each ready job waits for, with its place among those that wait for the same."""
        counts: dict[Resource | None, int] = {}
        for _, _, node in heapq.merge(*map(sorted, self._lines.values())):
            if node.stage is Stage.READY:
                shortage = self._shortages.get(node.demand)
                resource = None if shortage is None else shortage.resource
                place = counts[resource] = counts.get(resource, 0) + 1
                yield replace(_wait(node.key, shortage, place), host=self.host)

    def _line(self, demand: Demand) -> list[tuple[int, int, Node]]:
        """Those that need this, without those that are blocked by now."""
        line = self._lines.get(demand, [])
        while line and line[0][2].stage is not Stage.READY:
            heapq.heappop(line)
        if not line:
            self._lines.pop(demand, None)
        return line


def _wait(key: JobKey, shortage: Shortage | None, place: int) -> Wait:
    if shortage is None:
        return Wait(key, WaitKind.CORE, place)
    return wait_of(key, shortage, place)
