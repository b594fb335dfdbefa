"""The scheduler of one run: a thread that turns submitted tasks into ended jobs.

It holds nothing that matters: jobs survive it, and a plan that is started again finds them by
their tickets and goes on.
"""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from xpm_engine.config.order import Order
from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.errors import LaunchError, StorageError, UnreadableError, XpmError
from xpm_engine.launchers.base import Handle, Launcher, LaunchOrder
from xpm_engine.plan.claims import Look, Verdict, look
from xpm_engine.plan.drift import Drift, accept, find_drift, policy_of, remove_for_rerun
from xpm_engine.plan.node import Node, Stage
from xpm_engine.plan.run import RunWriter
from xpm_engine.plan.watch import ProcessWatch
from xpm_engine.workspace import aliases, processes, tickets
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind, Wait, WaitKind
from xpm_engine.workspace.records.runs import How, Reference
from xpm_engine.workspace.records.tickets import Attempt, End, Launch, LaunchedBy
from xpm_engine.workspace.settings import OnDrift

POLL = 0.2
"""Seconds between two looks at jobs whose end nobody announces: cleaners, claims of others."""

FAR_POLL = 2.0
"""Seconds between two looks at jobs of other machines."""

QUEUE_INTERVAL = 1.0
"""Seconds, at least, between two replacements of queue.json."""

MAX_FAILED_LAUNCHES = 3
"""Times that a launched attempt may vanish without having started, before its job fails."""


@dataclass(frozen=True)
class _Submission:
    order: Order
    options: SubmitOptions
    adopted: JobKey | None


@dataclass
class Counts:
    """How many jobs of the run are where."""

    total: int = 0
    done: int = 0
    reused: int = 0
    failed: int = 0
    blocked: int = 0
    drifted: int = 0


@dataclass
class Scheduler:
    """Runs the jobs of one run; its methods may be called from any thread."""

    workspace: WorkspacePaths
    run: RunWriter
    launcher: Launcher
    on_drift: OnDrift = OnDrift.ERROR
    """What is done about drift where neither a submit nor a class says."""
    on_end: Callable[[Node], None] = lambda node: None
    """Called, in the scheduler's thread, once for each job that is over for this plan."""
    nodes: dict[JobKey, Node] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    error: BaseException | None = None
    """What ended the scheduler before its time."""

    def __post_init__(self) -> None:
        self._watch = ProcessWatch()
        self._inbox: deque[_Submission] = deque()
        self._ready: list[tuple[int, int, Node]] = []
        self._sequence = 0
        self._running = 0
        self._open = 0
        self._polled: dict[JobKey, float] = {}
        self._closing = False
        self._draining = False
        self._idle = threading.Condition()
        self._queue_dirty = False
        self._queue_due = 0.0
        self._thread = threading.Thread(target=self._main, name="xpm-scheduler", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def submit(self, order: Order, options: SubmitOptions, adopted: JobKey | None) -> None:
        """Take a job on, or the result that it has under a former name.

        Raises what ended the scheduler, if it has ended.
        """
        if self.error is not None:
            raise self.error
        self._inbox.append(_Submission(order, options, adopted))
        self._watch.wake()

    def wait(self) -> None:
        """Until every job that was submitted is over; raises what ended the scheduler early."""
        with self._idle:
            while (self._open or self._inbox) and self._thread.is_alive():
                # A wait without a time limit can't be interrupted on every platform.
                self._idle.wait(1.0)
        if self.error is not None:
            raise self.error

    def drain(self) -> None:
        """Launch nothing more; what runs goes on without this plan."""
        self._draining = True
        self._watch.wake()

    def close(self) -> None:
        """End the thread; running jobs go on."""
        self._closing = True
        self._watch.wake()
        self._thread.join()
        self._watch.close()
        self.launcher.close()

    def live_supervisors(self) -> list[ProcessIdentity]:
        """The supervisors on this machine of the jobs that this run launched or follows."""
        found: list[ProcessIdentity] = []
        for node in list(self.nodes.values()):
            handle = node.handle
            if node.stage in (Stage.LAUNCHED, Stage.FOLLOWED) and handle and handle.process:
                found.append(handle.process)
        return found

    def _main(self) -> None:
        try:
            while not self._closing:
                self._take_submissions()
                self._poll()
                self._launch_ready()
                self._write_queue()
                self._notify()
                for key in self._watch.wait(self._patience()):
                    self._revisit(self.nodes[key])  # type: ignore[index]
            self._write_queue(last=True)
        except BaseException as error:  # noqa: BLE001 (told to the plan's own thread)
            self.error = error
            self.run.log(f"scheduler ended: {error}")
        finally:
            with self._idle:
                self._idle.notify_all()

    def _patience(self) -> float | None:
        """Seconds until something is due by itself; None for never."""
        due = [*self._polled.values()]
        if self._queue_dirty:
            due.append(self._queue_due)
        if self._inbox or (self._ready and self._room() and not self._draining):
            return 0.0
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _notify(self) -> None:
        if not self._open and not self._inbox:
            with self._idle:
                self._idle.notify_all()

    def _take_submissions(self) -> None:
        fresh: list[Node] = []
        while self._inbox:
            submission = self._inbox.popleft()
            key = submission.order.key
            if key in self.nodes:
                self._refer_again(self.nodes[key], submission.order)
                continue
            paths = self.workspace.job(key)
            node = Node(submission.order, submission.options, paths, adopted=submission.adopted)
            self.nodes[key] = node
            self.counts.total += 1
            self._open += 1
            fresh.append(node)
        if not fresh:
            return
        hints = [self._look(node) for node in fresh]
        for node, hint in zip(fresh, hints, strict=True):
            node.how = How.REUSED if node.adopted is not None else _how(hint)
            self._find_drift(node, hint)
        self.run.reference([self._reference(node) for node in fresh])
        unsettled = self._decide([node for node in fresh if node.drift is not None])
        for node, hint in zip(fresh, hints, strict=True):
            if node in unsettled:
                self._end(node, Stage.DRIFTED, None)
                continue
            if node.adopted is not None:
                self._adopt(node, node.adopted)
                continue
            # Only what is read after the reference is on the disk may be acted on: a cleaner
            # that won before has seen no reference, one that comes later will see it.
            if isinstance(hint, Look) and hint.verdict is Verdict.DONE and _still(node, hint):
                self._end(node, Stage.DONE, hint.end)
            else:
                self._connect(node)

    def _adopt(self, node: Node, former: JobKey) -> None:
        """Use the result of a renamed task; the reference to it is on the disk by now."""
        if not aliases.has_result(self.workspace, former):
            self._fail(node, f"the result under its former name was removed meanwhile: {former}")
            return
        if aliases.resolve(self.workspace, node.key) != former:
            aliases.adopt(self.workspace, node.key, former, run=self.run.name)
        self._end(node, Stage.DONE, None)

    def _find_drift(self, node: Node, hint: Look | XpmError) -> None:
        node.executed = node.order.resolved
        if not isinstance(hint, Look) or not hint.resolved or hint.verdict is Verdict.FREE:
            return
        node.executed = hint.resolved
        number = hint.ended or hint.number
        try:
            node.drift = find_drift(
                node.order, node.paths, number, hint.resolved, settled=self._settled
            )
        except UnreadableError as error:
            node.drift = Drift((f"{error.where}: {error.what}",))

    def _settled(self, key: JobKey) -> str | None:
        """What `find_drift` asks about upstream jobs; they were submitted before."""
        node = self.nodes.get(key)
        return node.executed if node is not None and node.drift is None else None

    def _decide(self, drifted: Sequence[Node]) -> set[Node]:
        """Carry out what is said about drift; the jobs that may neither be used nor run."""
        again: list[Node] = []
        unsettled: set[Node] = set()
        for node in drifted:
            policy = policy_of(node.options.on_drift, self.on_drift)
            if policy is OnDrift.ACCEPT and node.drift is not None:
                accept(node.order, node.paths, node.drift)
            elif policy is OnDrift.RERUN:
                again.append(node)
            else:
                unsettled.add(node)
        return unsettled | self._move_away(again)

    def _move_away(self, nodes: Sequence[Node]) -> set[Node]:
        """Move the folders of drifted jobs to the trash; those that must stay."""
        if not nodes:
            return set()
        record = self.run.record
        refused = remove_for_rerun(self.workspace, [node.key for node in nodes], record)
        for node in nodes:
            why = refused.get(node.key)
            if why is None:
                node.how = How.NEW
                node.executed = node.order.resolved
            else:
                node.drift = Drift((f"{node.key} can't be run again: {why}",))
        self.run.log(f"moved {len(nodes) - len(refused)} drifted jobs to the trash")
        return {node for node in nodes if node.key in refused}

    def _refer_again(self, node: Node, order: Order) -> None:
        """The same job, submitted once more, perhaps under more tags."""
        if order.tags != node.order.tags:
            self.run.reference([self._reference(node, tags={**node.order.tags, **order.tags})])

    def _reference(self, node: Node, tags: dict[str, Any] | None = None) -> Reference:
        order = node.order
        return Reference(
            key=order.key,
            how=node.how,
            at=now(),
            tags=dict(order.tags if tags is None else tags),
            params=dict(order.flat),
            dependencies=order.dependencies,
            drift=node.drift.changes if node.drift is not None else (),
            resolved=order.resolved if node.drift is not None else "",
            alias=node.adopted,
        )

    def _look(self, node: Node) -> Look | XpmError:
        try:
            return look(node.paths, self.launcher)
        except UnreadableError as error:
            return error

    def _connect(self, node: Node) -> None:
        """A new node: reuse its result, follow who runs it, or wait for what it depends on."""
        found = self._look(node)
        if self._settle(node, found):
            return
        for key in node.order.dependencies:
            upstream = self.nodes.get(key)
            if upstream is None or upstream.stage is Stage.DONE:
                continue
            upstream.dependants.append(node)
            if upstream.stage.over:
                self._block(node, upstream)
                return
            node.waits_for.add(key)
        if not node.waits_for:
            self._make_ready(node)
        self._queue_dirty = True

    def _settle(self, node: Node, found: Look | XpmError) -> bool:
        """Act on a look, unless it says that the job is free to run; whether it did."""
        if isinstance(found, XpmError):
            self._fail(node, f"{found.where}: {found.what}")
            return True
        if found.verdict is Verdict.DONE:
            self._end(node, Stage.DONE, found.end)
            return True
        if found.verdict is Verdict.FREE:
            return False
        self._follow(node, found)
        return True

    def _follow(self, node: Node, found: Look) -> None:
        node.stage = Stage.FOLLOWED
        node.attempt, node.nonce = found.number, found.nonce
        node.handle = Handle("", found.process, {}) if found.process else None
        if found.process is not None and self._watch.add(node.key, found.process):
            self._polled.pop(node.key, None)
            return
        far = found.verdict is Verdict.UNREACHABLE
        self._polled[node.key] = time.monotonic() + (FAR_POLL if far else POLL)

    def _make_ready(self, node: Node) -> None:
        node.stage = Stage.READY
        self._sequence += 1
        heapq.heappush(self._ready, (-node.options.priority, self._sequence, node))
        self._queue_dirty = True

    def _room(self) -> bool:
        return self._running < self.launcher.capacity().cores

    def _launch_ready(self) -> None:
        while self._ready and self._room() and not self._draining:
            _, _, node = heapq.heappop(self._ready)
            if node.stage is Stage.READY:
                self._launch(node)

    def _launch(self, node: Node) -> None:
        self._queue_dirty = True
        found = self._look(node)
        if self._settle(node, found):
            return
        assert isinstance(found, Look)
        order = node.order
        launch = Launch(
            nonce=tickets.new_nonce(),
            key=node.key,
            attempt=found.number,
            by=LaunchedBy.PLAN,
            at=now(),
            driver=self.run.record.driver,
            run=self.run.name,
            params=order.params.to_json(),
            resolved=order.resolved,
            dependencies=order.dependencies,
            tags=dict(order.tags),
            launcher=self.launcher.name,
        )
        try:
            if not tickets.claim_launch(node.paths, launch):
                self._make_ready(node)
                return
            handle = self._tell_launcher(node, launch)
        except (LaunchError, StorageError) as error:
            self._fail(node, str(error))
            return
        node.stage = Stage.LAUNCHED
        node.attempt, node.nonce, node.handle = launch.attempt, launch.nonce, handle
        self._running += 1
        if handle.process is None or not self._watch.add(node.key, handle.process):
            self._polled[node.key] = time.monotonic() + POLL

    def _tell_launcher(self, node: Node, launch: Launch) -> Handle:
        order = LaunchOrder(
            node.key, node.paths, launch.attempt, launch.nonce, os.path.abspath(self.run.paths.log)
        )
        handle = self.launcher.submit([order])[0]
        process = None if handle.process is None else handle.process.to_json()
        data = {"launcher": handle.launcher, "process": process, "data": dict(handle.data)}
        write_atomic(node.paths.handle(launch.attempt), dumps(data))
        return handle

    def _poll(self) -> None:
        clock = time.monotonic()
        due = [key for key, at in self._polled.items() if at <= clock]
        for key in due:
            del self._polled[key]
            self._revisit(self.nodes[key])

    def _revisit(self, node: Node) -> None:
        """A followed or launched job may have ended: look again."""
        if node.stage is Stage.LAUNCHED:
            self._revisit_launched(node)
        elif node.stage is Stage.FOLLOWED:
            found = self._look(node)
            if isinstance(found, Look) and found.verdict is Verdict.FREE:
                self._revisit_free(node, found)
            else:
                self._settle(node, found)

    def _revisit_free(self, node: Node, found: Look) -> None:
        """What was followed is over without a result, or was void."""
        if found.end is not None and found.ended == node.attempt:
            self._end(node, Stage.FAILED, found.end)
            return
        node.stage = Stage.WAITING
        node.handle = None
        self._connect(node)

    def _revisit_launched(self, node: Node) -> None:
        attempt = self._own_attempt(node)
        if node.stage.over:
            return
        if attempt is not None and attempt.end is not None and not attempt.void:
            self._release(node)
            done = attempt.end.outcome is Outcome.DONE
            self._end(node, Stage.DONE if done else Stage.FAILED, attempt.end)
            return
        process = None if node.handle is None else node.handle.process
        gone = process is not None and (processes.liveness(process) is processes.Liveness.DEAD)
        if not gone:
            self._polled[node.key] = time.monotonic() + POLL
            return
        if attempt is None:
            self._release(node)
            self._fail(node, "its folder was removed while it ran")
        elif attempt.start is None or attempt.void:
            self._release(node)
            self._relaunch(node)
        elif tickets.proved_dead(node.paths, attempt):
            # `look` reaps it, and what is found then is its end.
            self._look(node)
            self._polled[node.key] = time.monotonic()
        else:
            self._polled[node.key] = time.monotonic() + POLL

    def _own_attempt(self, node: Node) -> Attempt | None:
        """The attempt that this run launched; None if its folder is gone."""
        try:
            names = tickets.ticket_names(node.paths)
            if node.attempt not in names:
                return None
            return tickets.read_attempt(node.paths, node.attempt, names[node.attempt])
        except FileNotFoundError:
            return None
        except UnreadableError as error:
            self._release(node)
            self._fail(node, f"{error.where}: {error.what}")
            return None

    def _fail(self, node: Node, text: str) -> None:
        node.reason = Reason(ReasonKind.LAUNCHER, text)
        self._end(node, Stage.FAILED, None)

    def _relaunch(self, node: Node) -> None:
        """A supervisor that ended before it won its N.start: give the order up, and try again."""
        attempt = tickets.newest_attempt(node.paths)
        if attempt is not None and attempt.number == node.attempt:
            why = "its process ended before it started"
            tickets.void(node.paths, attempt, user=self.run.record.user, why=why)
        node.failed_launches += 1
        if node.failed_launches >= MAX_FAILED_LAUNCHES:
            log = self.run.paths.log
            self._fail(node, f"{node.failed_launches} times its process ended early; see {log}")
        else:
            self._make_ready(node)

    def _release(self, node: Node) -> None:
        self._running -= 1
        if node.handle is not None:
            self.launcher.forget(node.handle)

    def _end(self, node: Node, stage: Stage, end: End | None) -> None:
        self._watch.remove(node.key)
        self._polled.pop(node.key, None)
        if end is not None and node.reason is None:
            node.reason = end.reason
        self._finish(node, stage)
        if stage is Stage.DONE:
            for dependant in node.dependants:
                dependant.waits_for.discard(node.key)
                if not dependant.waits_for and dependant.stage is Stage.WAITING:
                    self._make_ready(dependant)
        else:
            for dependant in node.dependants:
                self._block(dependant, node)

    def _block(self, node: Node, because: Node) -> None:
        """Mark a job, and all behind it, as blocked."""
        stack = [(node, because)]
        while stack:
            blocked, cause = stack.pop()
            if blocked.stage.over or blocked.stage in (Stage.LAUNCHED, Stage.FOLLOWED):
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
        self._queue_dirty = True
        self._open -= 1
        self.on_end(node)

    def _write_queue(self, *, last: bool = False) -> None:
        clock = time.monotonic()
        if not self._queue_dirty or (clock < self._queue_due and not last):
            return
        self._queue_dirty = False
        self.run.queue(self._waits())
        # A plan of very many jobs spends at most a tenth of its time on saying why they wait.
        self._queue_due = clock + max(QUEUE_INTERVAL, 10 * (time.monotonic() - clock))

    def _waits(self) -> Sequence[Wait]:
        places = {node.key: place for place, (_, _, node) in enumerate(sorted(self._ready), 1)}
        found: list[Wait] = []
        for node in self.nodes.values():
            if node.stage is Stage.WAITING:
                found.append(Wait(node.key, WaitKind.DEPENDENCY, on=tuple(sorted(node.waits_for))))
            elif node.stage is Stage.READY:
                found.append(Wait(node.key, WaitKind.CORE, place=places.get(node.key, 0)))
            elif node.stage is Stage.BLOCKED:
                found.append(Wait(node.key, WaitKind.UPSTREAM_FAILED, on=node.blamed))
        return found


def _how(hint: Look | XpmError) -> How:
    if not isinstance(hint, Look):
        return How.NEW
    if hint.verdict is Verdict.DONE:
        return How.REUSED
    return How.NEW if hint.verdict is Verdict.FREE else How.ATTACHED


def _still(node: Node, hint: Look) -> bool:
    """Whether the job's tickets are those that the hint was read from."""
    names = tickets.ticket_names(node.paths)
    return bool(names) and max(names) == hint.number
