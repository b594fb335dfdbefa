"""A model of STATE's moves: schedulers, supervisors, tasks and cleaners, killed at every step.

The tickets are real files and every move on them is the real function; only processes are
simulated, so that each can be stopped between any two moves. A ledger proves run-once.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.engine.making import KEY, end, launch, start
from xpm_engine.launchers.base import Sight
from xpm_engine.plan.claims import Verdict, look
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import LaunchedBy

ME = processes.own_identity()
Moves = Iterator[None]


@dataclass(eq=False)
class Actor:
    """A simulated process: `moves` is stopped between any two of its moves when it is killed."""

    kind: str
    identity: ProcessIdentity
    moves: Moves = field(init=False)
    alive: bool = True
    nonce: str = ""
    """Of the order that a supervisor was started for."""
    started: bool = False
    """Whether a supervisor has won its N.start."""
    task: bool = False
    """Whether its task lives; it may outlive a killed supervisor for a moment."""


@dataclass
class Ledger:
    """What was executed in one folder, wherever it is moved to."""

    executing: set[int] = field(default_factory=set)
    done: bool = False
    story: list[str] = field(default_factory=list)

    def begin(self, pid: int) -> None:
        self.story.append(f"begin {pid}")
        assert not self.executing, f"two executions at a time: {self.story}"
        assert not self.done, f"executed after done: {self.story}"
        self.executing.add(pid)

    def stop(self, pid: int, how: str) -> None:
        self.story.append(f"{how} {pid}")
        self.executing.discard(pid)


class TicketModel(RuleBasedStateMachine):
    """One job, and everybody who wants something of it."""

    @initialize()
    def begin(self) -> None:
        self.root = tempfile.mkdtemp()
        self.workspace = WorkspacePaths(self.root + "/ws")
        self.job = self.workspace.job(KEY)
        self.trash = self.root + "/trash"
        os.makedirs(os.path.dirname(self.job.root))
        self.actors: list[Actor] = []
        self.pids = 0
        self.folders: dict[str, Ledger] = {}
        """Inode of the folder's `.xpm` -> its ledger."""
        self.patches = [
            mock.patch.object(processes, "liveness", self._liveness),
            mock.patch.object(tickets, "lock_is_free", lambda job: not self._holder()),  # noqa: PT008
            # A task may have cleared its environment: nothing may rest on finding it there.
            mock.patch.object(processes, "with_environment", return_value=[]),
        ]
        for patch in self.patches:
            patch.start()

    def teardown(self) -> None:
        for patch in self.patches:
            patch.stop()
        shutil.rmtree(self.root)

    @property
    def name(self) -> str:
        """The launcher's name: the model is its own launcher."""
        return ""

    def find(self, nonces: list[str]) -> dict[str, Sight]:
        """A supervisor that lives is coming, unless it was forked: then nobody can see it."""
        supervisors = [a for a in self.actors if a.alive and a.kind == "supervisor"]
        coming = {a.nonce for a in supervisors if a.identity.pid % 2}
        return {nonce: Sight.COMING if nonce in coming else Sight.GONE for nonce in nonces}

    def _liveness(self, identity: ProcessIdentity) -> Liveness:
        actor = next((a for a in self.actors if a.identity == identity), None)
        return Liveness.ALIVE if actor is not None and actor.alive else Liveness.DEAD

    def _holder(self) -> Actor | None:
        """Who holds the job's lock: a supervisor, or a task that outlives it for a moment."""
        return next((a for a in self.actors if a.task or (a.alive and a.started)), None)

    def _ledger(self) -> Ledger:
        """That of the folder which stands in its place now."""
        inode = str(os.stat(self.job.xpm).st_ino)
        return self.folders.setdefault(inode, Ledger())

    def _spawn(self, kind: str, **more: Any) -> Actor:
        self.pids += 1
        actor = Actor(kind, replace(ME, pid=self.pids), **more)
        actor.moves = getattr(self, f"_{kind}")(actor)
        self.actors.append(actor)
        return actor

    def _end_task(self, actor: Actor) -> None:
        if actor.task:
            actor.task = False
            for ledger in self.folders.values():
                if actor.identity.pid in ledger.executing:
                    ledger.stop(actor.identity.pid, "killed")

    def _scheduler(self, me: Actor) -> Moves:
        while True:
            found = look(self.job, self)  # type: ignore[arg-type]
            yield
            if found.verdict is Verdict.DONE:
                return
            if found.verdict is not Verdict.FREE:
                yield
                continue
            order = launch(attempt=found.number, driver=me.identity, launcher="")
            won = tickets.claim_launch(self.job, order)
            yield
            if won:
                self._spawn("supervisor", nonce=order.nonce)
                yield

    def _supervisor(self, me: Actor) -> Moves:
        yield
        names = tickets.ticket_names(self.job)
        for number in names:
            attempt = tickets.read_attempt(self.job, number, {"launch"})
            if attempt.launch.nonce == me.nonce:
                break
        else:
            return
        yield
        ticket = start(by=me.identity, launch=me.nonce)
        if not os.path.isdir(self.job.xpm) or not tickets.claim_start(self.job, number, ticket):
            return
        me.started = True
        yield
        ledger = self._ledger()
        ledger.begin(me.identity.pid)
        me.task = True
        for _ in range(4):
            yield
        good = self.pids % 3 != 0
        killed = not me.task
        if me.task:
            me.task = False
            ledger.stop(me.identity.pid, "end" if good else "fail")
        yield
        outcome = Outcome.DONE if good and not killed else Outcome.FAILED
        if tickets.record_end(self.job, number, end(outcome)) and outcome is Outcome.DONE:
            ledger.done = True

    def _cleaner(self, me: Actor) -> Moves:
        newest = tickets.newest_attempt(self.job)
        yield
        if newest is None or newest.end is None or os.path.exists(self.trash):
            return
        ticket = launch(
            attempt=newest.number + 1, by=LaunchedBy.CLEAN, driver=me.identity, launcher="clean"
        )
        if not os.path.isdir(self.job.xpm) or not tickets.claim_launch(self.job, ticket):
            return
        yield
        os.rename(self.job.root, self.trash)
        yield
        if os.path.exists(self.job.root):
            return
        os.rename(self.trash, self.job.root)
        claimed = tickets.newest_attempt(self.job)
        assert claimed is not None
        yield
        tickets.void(self.job, claimed, user="ada", why="undone")

    def _living(self, *kinds: str) -> list[Actor]:
        return [a for a in self.actors if a.alive and a.kind in kinds]

    def _move(self, actor: Actor, steps: int) -> None:
        for _ in range(steps):
            try:
                next(actor.moves)
            except StopIteration:
                actor.alive = False
                break

    @rule(kind=st.sampled_from(["scheduler", "scheduler", "cleaner"]))
    @precondition(lambda self: len(self._living("scheduler", "cleaner")) < 3)
    def start(self, kind: str) -> None:
        """One more plan, or somebody who cleans."""
        self._spawn(kind)

    @rule(data=st.data(), steps=st.integers(1, 8))
    @precondition(lambda self: self._living("scheduler", "cleaner"))
    def go_on(self, data: st.DataObject, steps: int) -> None:
        """A plan or a cleaner makes its next moves."""
        self._move(data.draw(st.sampled_from(self._living("scheduler", "cleaner"))), steps)

    @rule(data=st.data(), steps=st.integers(1, 8))
    @precondition(lambda self: self._living("supervisor"))
    def supervise(self, data: st.DataObject, steps: int) -> None:
        """A supervisor makes its next moves."""
        self._move(data.draw(st.sampled_from(self._living("supervisor"))), steps)

    @rule(data=st.data(), at_once=st.booleans())
    @precondition(lambda self: self._living("supervisor"))
    def kill_supervisor(self, data: st.DataObject, at_once: bool) -> None:
        """A supervisor is killed; its task dies at once, or a moment later."""
        actor = data.draw(st.sampled_from(self._living("supervisor")))
        actor.alive = False
        if at_once:
            self._end_task(actor)

    @rule(data=st.data())
    @precondition(lambda self: self._living("scheduler"))
    def kill_scheduler(self, data: st.DataObject) -> None:
        """A plan is killed; nobody misses it."""
        data.draw(st.sampled_from(self._living("scheduler"))).alive = False

    @rule(rare=st.integers(0, 3))
    @precondition(lambda self: any(a.task for a in self.actors))
    def a_task_dies(self, rare: int) -> None:
        """It is killed alone, or the kernel gets round to that of a killed supervisor."""
        if rare == 0:
            self._end_task(next(a for a in self.actors if a.task))

    @invariant()
    def the_folder_can_always_be_read(self) -> None:
        for number, kinds in tickets.ticket_names(self.job).items():
            assert "launch" in kinds
            tickets.read_attempt(self.job, number, kinds)

    @invariant()
    def what_is_done_stays_done(self) -> None:
        if os.path.isdir(self.job.xpm) and self._ledger().done:
            newest = tickets.newest_attempt(self.job)
            assert newest is not None
            assert tickets.is_done(self.job) or newest.launch.by is LaunchedBy.CLEAN


TestTicketModel = TicketModel.TestCase
TestTicketModel.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
