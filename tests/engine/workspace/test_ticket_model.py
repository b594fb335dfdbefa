"""A model of STATE's moves: schedulers, supervisors, tasks and cleaners, killed at every step.

The tickets are real files and every move on them is the real function; only processes are
simulated, each by a thread of which one runs at a time. It is stopped before each of its looks at
the disk and before each ticket that it publishes, and goes on, or is killed there. A ledger proves
run-once; that the model would notice is proved by putting faults in.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.engine.making import KEY, end, launch, start
from xpm_engine.launchers.base import LaunchOrder, Sight
from xpm_engine.plan.claims import Verdict, look
from xpm_engine.workspace import claims, processes, tickets
from xpm_engine.workspace.atomic import write_atomic
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome
from xpm_engine.workspace.records.tickets import LaunchedBy

ME = processes.own_identity()


EVENTS = (
    *["a_plan_or_a_cleaner_goes_on"] * 6,
    *["a_supervisor_goes_on"] * 5,
    *["a_plan_starts"] * 4,
    *["a_plan_or_a_cleaner_is_killed"] * 4,
    *["a_supervisor_is_killed"] * 2,
    "a_cleaner_starts",
    "a_task_dies",
)
"""What happens, the more often the more often it is named."""


class Killed(BaseException):
    """Ends a simulated process where it stands."""


@dataclass(eq=False)
class Actor:
    """A simulated process: a thread that stops at each `pause` until it is told to `move`."""

    kind: str
    identity: ProcessIdentity
    body: Callable[[Actor], None] = field(repr=False)
    alive: bool = True
    nonce: str = ""
    """Of the order that a supervisor was started for."""
    holds: bool = False
    """Whether a supervisor has taken the lock."""
    task: str = ""
    """Where the end of its task will be recorded, while that lives; it may outlive a killed
    supervisor for a moment."""
    error: BaseException | None = None

    def __post_init__(self) -> None:
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def move(self) -> None:
        """Go on to the next pause, or to the end."""
        self._go.release()
        self._back.acquire()
        if self.error is not None:
            raise self.error

    def pause(self) -> None:
        """Stop here; the process may never go on."""
        self._back.release()
        self._go.acquire()
        if not self.alive:
            raise Killed

    def bury(self) -> None:
        """End the thread."""
        self.alive = False
        self._go.release()
        self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            if self.alive:
                self.body(self)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 (told to the thread that moves it)
            self.error = error
        self.alive = False
        self._back.release()


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

    faults: tuple[tuple[str, Any], ...] = ()
    """Functions of `tickets` that are replaced: what the model must find."""

    @initialize()
    def begin(self) -> None:
        self.root = tempfile.mkdtemp()
        self.workspace = WorkspacePaths(self.root + "/ws")
        self.job = self.workspace.job(KEY)
        self.trash = self.root + "/trash"
        os.makedirs(os.path.dirname(self.job.root))
        self.actors: list[Actor] = []
        self.moving: Actor | None = None
        self.pids = 0
        self.folders: dict[str, Ledger] = {}
        """Inode of the folder's `.xpm` -> its ledger."""
        self.published: dict[tuple[str, str], bytes] = {}
        """Inode of the folder's `.xpm` and name of a ticket -> its content."""
        self.patches = [
            mock.patch.object(processes, "liveness", self._liveness),
            mock.patch.object(tickets, "lock_is_free", lambda job: not self._holder()),  # noqa: PT008
            # A task may have cleared its environment: nothing may rest on finding it there.
            mock.patch.object(processes, "with_environment", return_value=[]),
            *[mock.patch.object(tickets, name, fault) for name, fault in self.faults],
        ]
        for patch in self.patches:
            patch.start()
        stops = [
            mock.patch.object(module, name, self._pausing(getattr(module, name)))
            for module, name in (
                (tickets, "publish"),
                (tickets, "ticket_names"),
                (tickets, "read_object"),
                (claims, "read_object"),
            )
        ]
        for patch in stops:
            patch.start()
        self.patches += stops

    def teardown(self) -> None:
        for actor in getattr(self, "actors", []):
            actor.bury()
        for patch in reversed(getattr(self, "patches", [])):
            patch.stop()
        shutil.rmtree(self.root)

    def _pausing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def stopped(*arguments: Any, **more: Any) -> Any:
            if self.moving is not None:
                self.moving.pause()
            return function(*arguments, **more)

        return stopped

    def knowing(self, name: str) -> Any:
        """Who can tell of the orders of a launcher: the model of its own, which has no name."""
        return None if name else self

    def find(self, orders: list[LaunchOrder]) -> dict[str, Sight]:
        """A supervisor that lives is coming, unless it was forked: then nobody can see it."""
        supervisors = [a for a in self.actors if a.alive and a.kind == "supervisor"]
        coming = {a.nonce for a in supervisors if a.identity.pid % 4 == 0}
        nonces = [order.nonce for order in orders]
        return {nonce: Sight.COMING if nonce in coming else Sight.GONE for nonce in nonces}

    def _liveness(self, identity: ProcessIdentity) -> Liveness:
        actor = next((a for a in self.actors if a.identity == identity), None)
        return Liveness.ALIVE if actor is not None and actor.alive else Liveness.DEAD

    def _holder(self) -> Actor | None:
        """Who holds the job's lock: a supervisor, or a task that outlives it for a moment."""
        return next((a for a in self.actors if a.task or (a.alive and a.holds)), None)

    def _ledger(self) -> Ledger:
        """That of the folder which stands in its place now."""
        inode = str(os.stat(self.job.xpm).st_ino)
        return self.folders.setdefault(inode, Ledger())

    def _spawn(self, kind: str, **more: Any) -> Actor:
        self.pids += 1
        actor = Actor(kind, replace(ME, pid=self.pids), getattr(self, f"_{kind}"), **more)
        self.actors.append(actor)
        return actor

    def _end_task(self, actor: Actor) -> None:
        if actor.task:
            actor.task = ""
            for ledger in self.folders.values():
                if actor.identity.pid in ledger.executing:
                    ledger.stop(actor.identity.pid, "killed")

    def _scheduler(self, me: Actor) -> None:
        while True:
            found = look(self.job, self)  # type: ignore[arg-type]
            if found.verdict is Verdict.DONE:
                return
            me.pause()
            if found.verdict is not Verdict.FREE:
                continue
            order = launch(attempt=found.number, driver=me.identity, launcher="")
            if tickets.claim_launch(self.job, order):
                me.pause()
                self._spawn("supervisor", nonce=order.nonce)
                me.pause()

    def _supervisor(self, me: Actor) -> None:
        names = tickets.ticket_names(self.job)
        for number in names:
            try:
                attempt = tickets.read_attempt(self.job, number, {"launch"})
            except FileNotFoundError:
                return
            if attempt.launch.nonce == me.nonce:
                break
        else:
            return
        # It has the lock from now on, and so its task; that another one has it too, as on another
        # machine, must do no harm.
        me.holds = True
        me.pause()
        ticket = start(by=me.identity, launch=me.nonce)
        if not os.path.isdir(self.job.xpm) or not tickets.claim_start(self.job, number, ticket):
            me.holds = False
            return
        me.pause()
        ledger = self._ledger()
        ledger.begin(me.identity.pid)
        me.task = self.job.end(number)
        for _ in range(10):
            me.pause()
        good = self.pids % 4 == 0
        killed = not me.task
        if me.task:
            me.task = ""
            ledger.stop(me.identity.pid, "end" if good else "fail")
        outcome = Outcome.DONE if good and not killed else Outcome.FAILED
        if tickets.record_end(self.job, number, end(outcome)) and outcome is Outcome.DONE:
            ledger.done = True

    def _cleaner(self, me: Actor) -> None:
        newest = tickets.newest_attempt(self.job)
        me.pause()
        if newest is None or newest.end is None or os.path.exists(self.trash):
            return
        ticket = launch(
            attempt=newest.number + 1, by=LaunchedBy.CLEAN, driver=me.identity, launcher="clean"
        )
        if not os.path.isdir(self.job.xpm) or not tickets.claim_launch(self.job, ticket):
            return
        me.pause()
        os.rename(self.job.root, self.trash)
        me.pause()
        if os.path.exists(self.job.root):
            return
        os.rename(self.trash, self.job.root)
        claimed = tickets.newest_attempt(self.job)
        assert claimed is not None
        tickets.void(self.job, claimed, user="ada", why="undone")

    def _living(self, *kinds: str) -> list[Actor]:
        return [a for a in self.actors if a.alive and a.kind in kinds]

    def _move(self, actor: Actor, steps: int) -> None:
        self.moving = actor
        try:
            for _ in range(steps):
                if actor.alive:
                    actor.move()
        finally:
            self.moving = None

    @rule(what=st.sampled_from(EVENTS), which=st.integers(0, 5), steps=st.integers(1, 12))
    def happens(self, what: str, which: int, steps: int) -> None:
        """One rule for all: hypothesis leaves rules out of an example, and each is needed."""
        getattr(self, what)(which, steps)

    def a_plan_starts(self, which: int, steps: int) -> None:
        if len(self._living("scheduler", "cleaner")) < 3:
            self._spawn("scheduler")

    def a_cleaner_starts(self, which: int, steps: int) -> None:
        if len(self._living("scheduler", "cleaner")) < 3:
            self._spawn("cleaner")

    def a_plan_or_a_cleaner_goes_on(self, which: int, steps: int) -> None:
        for actor in self._one(which, "scheduler", "cleaner"):
            self._move(actor, steps)

    def a_supervisor_goes_on(self, which: int, steps: int) -> None:
        for actor in self._one(which, "supervisor"):
            self._move(actor, steps)

    def a_supervisor_is_killed(self, which: int, steps: int) -> None:
        """Its task dies at once, or a moment later."""
        for actor in self._one(which, "supervisor"):
            actor.alive = False
            if steps % 2:
                self._end_task(actor)

    def a_plan_or_a_cleaner_is_killed(self, which: int, steps: int) -> None:
        """Nobody misses it."""
        for actor in self._one(which, "scheduler", "cleaner"):
            actor.alive = False

    def a_task_dies(self, which: int, steps: int) -> None:
        """It is killed alone, or the kernel gets round to that of a killed supervisor."""
        for actor in [each for each in self.actors if each.task][:1]:
            self._end_task(actor)

    def _one(self, which: int, *kinds: str) -> list[Actor]:
        living = self._living(*kinds)
        return [living[which % len(living)]] if living else []

    @invariant()
    def the_folder_can_always_be_read(self) -> None:
        for number, kinds in tickets.ticket_names(self.job).items():
            assert "launch" in kinds
            tickets.read_attempt(self.job, number, kinds)

    @invariant()
    def a_ticket_is_never_replaced(self) -> None:
        names = tickets.ticket_names(self.job)
        if not names:
            return
        inode = str(os.stat(self.job.xpm).st_ino)
        for name in [f"{number}.{kind}" for number, kinds in names.items() for kind in kinds]:
            content = Path(self.job.xpm, name).read_bytes()
            known = self.published.setdefault((inode, name), content)
            assert known == content, f"{name} was replaced"

    @invariant()
    def what_lives_is_not_said_to_be_over(self) -> None:
        for actor in self.actors:
            assert not actor.task or not os.path.exists(actor.task), f"{actor} still runs"

    @invariant()
    def what_is_done_stays_done(self) -> None:
        if os.path.isdir(self.job.xpm) and self._ledger().done:
            newest = tickets.newest_attempt(self.job)
            assert newest is not None
            assert tickets.is_done(self.job) or newest.launch.by is LaunchedBy.CLEAN


BUDGET = settings(
    max_examples=200,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestTicketModel = TicketModel.TestCase
TestTicketModel.settings = BUDGET


def _overwriting(kind: str) -> Any:
    """`publish`, but whoever comes last wins the tickets of this kind."""
    publish = tickets.publish

    def fault(path: str, data: bytes, *, durable: bool = False) -> bool:
        if path.endswith(kind):
            write_atomic(path, data)
            return True
        return publish(path, data, durable=durable)

    return fault


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(("publish", _overwriting(".launch")), id="launch overwritten"),
        pytest.param(("publish", _overwriting(".start")), id="start overwritten"),
        pytest.param(("publish", _overwriting(".end")), id="end overwritten"),
        pytest.param(("lock_is_free", lambda job: True), id="lock ignored"),
    ],
)
def test_the_model_finds_a_fault(fault: tuple[str, Any]) -> None:
    """Always with the same examples; most seeds need fewer than the real functions get."""
    model = type("FaultyModel", (TicketModel,), {"faults": (fault,)})
    budget = settings(
        BUDGET,
        max_examples=1000,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        print_blob=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(model, settings=budget)
