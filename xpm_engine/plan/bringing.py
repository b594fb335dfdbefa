"""Results that are on another host alone, and are needed here: brought before a job may start."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial

from xpm_engine.errors import UnreadableError
from xpm_engine.launchers.base import Coming
from xpm_engine.plan.board import Board
from xpm_engine.plan.lanes import Lanes
from xpm_engine.plan.node import Node, Stage
from xpm_engine.workspace import aliases
from xpm_engine.workspace.elsewhere import still_there
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.records.tickets import awaited


class Bringing:
    """Keeps jobs back until what they are made from is where they find it.

    In the scheduler's thread, but for what launchers tell.
    """

    def __init__(
        self,
        workspace: WorkspacePaths,
        lanes: Lanes,
        board: Board,
        *,
        fail: Callable[[Node, str], None],
        wake: Callable[[], None],
    ) -> None:
        """`wake` has `take` called soon; `fail` ends a job for whose result there is no hope."""
        self._workspace = workspace
        self._lanes = lanes
        self._board = board
        self._fail, self._wake = fail, wake
        self._coming: dict[JobKey, list[Node]] = {}
        """What is on its way -> the jobs that wait for it."""
        self._told: deque[tuple[JobKey, Coming]] = deque()

    def keeps(self, node: Node) -> bool:
        """Whether a job must wait, of which all that it is made from is done."""
        missing = dict(self._missing(node))
        for key, host in missing.items():
            waiting = self._coming.get(key)
            if waiting is None:
                waiting = self._coming[key] = []
                self._begin(key, host)
            if node not in waiting:
                waiting.append(node)
        if missing:
            key, host = next(iter(missing.items()))
            node.stage = Stage.BRINGING
            self._board.tell_wait(node, Wait(node.key, WaitKind.RESULT, on=(key,), host=host))
        return bool(missing)

    def take(self) -> None:
        """Act on what launchers have told since."""
        for _ in range(len(self._told)):
            key, coming = self._told.popleft()
            waiting = self._coming.get(key, []) if not coming.over else self._coming.pop(key, [])
            words = coming.words
            if coming.over and not words and still_there(self._workspace.job(key)) is not None:
                words = f"the result of {key} was said to be here, and is not"
            for node in waiting:
                if node.stage is not Stage.BRINGING:
                    continue
                if not coming.over:
                    self._tell(node, key, words)
                elif words:
                    self._fail(node, words)
                else:
                    self._board.tell_wait(node, None)
                    self._board.make_ready(node)

    @property
    def has_news(self) -> bool:
        """Whether there is something to `take`."""
        return bool(self._told)

    def _missing(self, node: Node) -> Iterator[tuple[JobKey, str]]:
        """What it is made from and is elsewhere alone, with the host of each."""
        for upstream in awaited(node.order.dependencies, node.order.early):
            try:
                key = aliases.resolve(self._workspace, upstream)
            except UnreadableError:
                # The job's own process says so.
                continue
            job = self._workspace.job(key)
            if not os.path.exists(job.fetched):
                continue
            rest = still_there(job)
            if rest is not None and not node.lane.launcher.reads(rest.of):
                yield key, rest.of

    def _begin(self, key: JobKey, host: str) -> None:
        told = partial(self._tell_later, key)
        launcher = self._lanes.knowing(host)
        if launcher is None:
            text = f"the result of {key} is on {host} alone, which xpm.toml does not know any more"
            told(Coming(text))
        else:
            launcher.fetch(self._workspace.job(key), host, told)

    def _tell_later(self, key: JobKey, coming: Coming) -> None:
        self._told.append((key, coming))
        self._wake()

    def _tell(self, node: Node, key: JobKey, words: str) -> None:
        known = node.wait
        if known is not None and known.on == (key,):
            wait = Wait(node.key, WaitKind.RESULT, on=(key,), what=words, host=known.host)
            self._board.tell_wait(node, wait)
