"""Launching jobs, and following them to their end, whoever launched them."""

from __future__ import annotations

import os
import time

from xpm_engine.errors import LaunchError, StorageError, UnreadableError
from xpm_engine.launchers.base import Handle
from xpm_engine.plan.board import Board
from xpm_engine.plan.claims import Look, Verdict, look
from xpm_engine.plan.lanes import Lanes
from xpm_engine.plan.launching import Launching
from xpm_engine.plan.node import Node, Stage
from xpm_engine.plan.retrying import retries_of
from xpm_engine.plan.run import RunWriter
from xpm_engine.plan.watch import ProcessWatch
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import is_full
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.processes import Liveness
from xpm_engine.workspace.records.fields import format_time
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.pool import Reservation
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind
from xpm_engine.workspace.records.states import UNREADABLE_NEXT
from xpm_engine.workspace.records.tickets import Attempt, End, Launch, awaited

POLL = 0.2
"""Seconds between two looks at jobs whose end nobody announces: cleaners, claims of others."""

FAR_POLL = 2.0
"""Seconds between two looks at jobs of other machines."""

MOST_REDONE = 3
"""Times that a job may find its upstream gone before it fails."""

MAX_FAILED_LAUNCHES = 3
"""Times that a launched attempt may vanish without having started, before its job fails."""


class Dispatch:
    """Gives ready jobs to their launchers, and notices their ends; in the scheduler's thread."""

    def __init__(self, run: RunWriter, lanes: Lanes, board: Board, watch: ProcessWatch) -> None:
        self._run = run
        self._lanes = lanes
        self._board = board
        self._watch = watch
        self._launching = Launching(run)
        self._polled: dict[JobKey, float] = {}
        self._failed: dict[JobKey, int] = {}
        """The jobs that ended badly, with the time of their folder when it was last looked at."""
        self._failed_due = 0.0

    @property
    def launching_since(self) -> float | None:
        """When (time.monotonic) a launcher was told the order that it starts now."""
        return self._launching.since

    @property
    def due(self) -> float | None:
        """When (time.monotonic) the next look at a job is due; None for never."""
        moments = [*self._polled.values(), *([self._failed_due] if self._failed else ())]
        return min(moments, default=None)

    def look(self, node: Node) -> Look | UnreadableError:
        """What the job's tickets let this run do."""
        try:
            return look(node.paths, self._lanes)
        except UnreadableError as error:
            return error

    def settle(self, node: Node, found: Look | UnreadableError) -> bool:
        """Act on a look, unless it says that the job is free to run; whether it did."""
        if isinstance(found, UnreadableError):
            self.fail(node, f"{found.where}: {found.what}; {UNREADABLE_NEXT}")
        elif found.verdict is Verdict.DONE:
            self.end(node, Stage.DONE, None)
        elif found.verdict is Verdict.FREE:
            return False
        else:
            self._follow(node, found)
        return True

    def launch(self, node: Node, granted: Reservation) -> None:
        """Claim the next attempt of a job that was let through, and tell the launcher."""
        if not self._launch(node, granted):
            node.lane.gate.release(granted.nonce)

    def _launch(self, node: Node, granted: Reservation) -> bool:
        """Whether it was launched."""
        found = self.look(node)
        if self.settle(node, found):
            return False
        assert isinstance(found, Look)
        launch = self._launching.order(node, found.number, granted)
        try:
            if not tickets.claim_launch(node.paths, launch):
                # Somebody else was quicker: the next turn finds out who.
                self._board.make_ready(node)
                return False
            handle = self._launching.tell(node, launch)
        except StorageError as error:
            kind = ReasonKind.DISK_FULL if is_full(error) else ReasonKind.LAUNCHER
            self._ended_badly(node, Reason(kind, str(error)))
            return False
        except LaunchError as error:
            self._give_up(node, launch, str(error))
            return False
        self._run.log(f"{node.key} is launched, attempt {launch.attempt}")
        node.stage = Stage.LAUNCHED
        node.attempt, node.nonce, node.handle = launch.attempt, launch.nonce, handle
        self._expect(node, handle.process)
        return True

    def poll(self) -> None:
        """Look at the jobs whose time has come."""
        clock = time.monotonic()
        for key in [key for key, at in self._polled.items() if at <= clock]:
            del self._polled[key]
            self.revisit(self._board.nodes[key])
        if self._failed and clock >= self._failed_due:
            self.look_at_failed()

    def look_at_failed(self) -> None:
        """Somebody may have had a job tried again that failed here: then it is followed."""
        began = time.monotonic()
        for key, stamp in list(self._failed.items()):
            node = self._board.nodes[key]
            changed = _changed_at(node.paths.xpm)
            if changed != stamp:
                self._failed[key] = changed
                self._follow_again(node)
        clock = time.monotonic()
        self._failed_due = clock + max(FAR_POLL, 50 * (clock - began))

    def hear(self, key: JobKey) -> None:
        """The launcher says that a job's tickets have changed: look now."""
        node = self._board.nodes.get(key)
        if node is not None and node.stage in (Stage.LAUNCHED, Stage.FOLLOWED):
            self._polled[key] = 0.0

    def revisit(self, node: Node) -> None:
        """A launched or followed job may have ended."""
        if node.stage is Stage.LAUNCHED:
            self._revisit_launched(node)
        elif node.stage is Stage.FOLLOWED:
            self._revisit_followed(node)
        elif node.stage is Stage.RETRYING:
            node.handle = None
            self._board.make_ready(node)

    def end(self, node: Node, stage: Stage, end: End | None) -> None:
        """The job is over, by its N.end if it has one."""
        self._watch.remove(node.key)
        self._polled.pop(node.key, None)
        self._board.end(node, stage, None if end is None else end.reason)

    def fail(self, node: Node, text: str) -> None:
        """The job is over without an attempt that could say why."""
        self._fail(node, Reason(ReasonKind.LAUNCHER, text))

    def _fail(self, node: Node, reason: Reason | None) -> None:
        self._watch.remove(node.key)
        self._polled.pop(node.key, None)
        self._run.log(f"{node.key} failed: {'unknown reason' if reason is None else reason.text}")
        self._board.end(node, Stage.FAILED, reason)
        self._failed[node.key] = _changed_at(node.paths.xpm)

    def _follow_again(self, node: Node) -> None:
        found = self.look(node)
        if not isinstance(found, Look) or found.verdict in (Verdict.FREE, Verdict.CLEANING):
            return
        if found.resolved != node.order.resolved:
            # Made with other defaults: not what this plan asked for.
            return
        del self._failed[node.key]
        self._run.log(f"{node.key} is tried again, by another run")
        self._board.revive(node)
        self.settle(node, found)

    def _expect(
        self, node: Node, process: ProcessIdentity | None, *, interval: float = POLL
    ) -> None:
        """Be told when the process ends, or look again after `interval` seconds."""
        if process is not None and self._watch.add(node.key, process):
            self._polled.pop(node.key, None)
        else:
            self._polled[node.key] = time.monotonic() + interval

    def _follow(self, node: Node, found: Look) -> None:
        node.stage = Stage.FOLLOWED
        node.attempt, node.nonce = found.number, found.nonce
        node.handle = Handle("", found.process, {}) if found.process else None
        if found.verdict is Verdict.MIRRORED:
            attempt = self._own_attempt(node)
            launcher = None if attempt is None else self._lanes.follow(node.paths, attempt)
            if launcher is not None:
                node.handle = Handle(launcher.name, None, {"nonce": found.nonce})
        self._board.tell_wait(node, self._lanes.why_waits(node.key))
        far = found.verdict in (Verdict.UNREACHABLE, Verdict.MIRRORED)
        self._expect(node, found.process, interval=FAR_POLL if far else POLL)

    def _revisit_followed(self, node: Node) -> None:
        found = self.look(node)
        if not isinstance(found, Look) or found.verdict is not Verdict.FREE:
            self.settle(node, found)
        elif found.end is not None and found.ended == node.attempt:
            self._ended_badly(node, found.end.reason)
        else:
            # It was void, or its folder has gone: this run's own turn, if nothing is before it.
            node.handle = None
            self._board.connect(node)

    def _revisit_launched(self, node: Node) -> None:
        try:
            end = self._own_end(node)
            attempt = None if end is not None else self._own_attempt(node)
        except UnreadableError as error:
            self._release(node)
            self.fail(node, f"{error.where}: {error.what}")
            return
        if end is not None:
            self._release(node)
            if end.outcome is Outcome.DONE:
                self.end(node, Stage.DONE, end)
            else:
                self._ended_badly(node, end.reason)
        elif attempt is not None and attempt.void and attempt.start and _is_far(node.handle):
            # A launcher that has no process here gave the order up, and said why.
            self._release(node)
            self._ended_badly(node, Reason(ReasonKind.LAUNCHER, attempt.start.why))
        elif not _is_gone(node.handle) and not (attempt is None and _is_far(node.handle)):
            begun = attempt is None or attempt.start is not None
            self._board.tell_wait(node, None if begun else self._lanes.why_waits(node.key))
            self._polled[node.key] = time.monotonic() + POLL
        elif attempt is None:
            self._release(node)
            self.fail(node, "its folder was removed while it ran")
        elif attempt.start is None or attempt.void:
            self._release(node)
            self._relaunch(node, attempt)
        else:
            # A look reaps what is proved dead; until then something of it still lives.
            self.look(node)
            self._polled[node.key] = time.monotonic() + POLL

    def _ended_badly(self, node: Node, reason: Reason | None) -> None:
        """An attempt failed: another one is due in a while, or the job is over."""
        if reason is not None and reason.kind is ReasonKind.UPSTREAM_GONE and self._redo(node):
            return
        retries = retries_of(node.options, resumable=node.order.resumable)
        pause = retries.pause(reason, node.retries)
        if pause is None or reason is None:
            self._fail(node, reason)
            return
        self._watch.remove(node.key)
        self._polled.pop(node.key, None)
        node.retries += 1
        self._board.postpone(node, reason, format_time(time.time() + pause))
        self._polled[node.key] = time.monotonic() + pause
        self._run.log(
            f"{node.key} is tried again in {pause:g} s, retry {node.retries} of {retries.most}: "
            f"{reason.text}"
        )

    def _redo(self, node: Node) -> bool:
        """Run again what a job is made from and what was removed since; whether that can be."""
        gone: list[Node] = []
        for key in awaited(node.order.dependencies, node.order.early):
            upstream = self._board.nodes.get(key)
            if upstream is None:
                continue
            found = self.look(upstream)
            if not isinstance(found, Look) or found.verdict is not Verdict.DONE:
                gone.append(upstream)
        if not gone or node.redone == MOST_REDONE:
            return False
        node.redone += 1
        self._watch.remove(node.key)
        self._polled.pop(node.key, None)
        for upstream in gone:
            self._run.log(f"{upstream.key} is run again: its result is gone")
            if upstream.stage is Stage.DONE:
                self._board.reopen(upstream)
        node.handle = None
        self._board.connect(node)
        return True

    def _give_up(self, node: Node, launch: Launch, text: str) -> None:
        """An order that the launcher refused: nothing may wait for it."""
        attempt = Attempt(launch.attempt, launch)
        tickets.void(node.paths, attempt, user=self._run.record.user, why=text)
        self._ended_badly(node, Reason(ReasonKind.LAUNCHER, text))

    def _own_end(self, node: Node) -> End | None:
        """How the attempt that this run launched ended; None if it did not, or is void."""
        try:
            end = tickets.read_end(node.paths, node.attempt)
        except FileNotFoundError:
            return None
        return None if end.outcome is Outcome.VOID else end

    def _own_attempt(self, node: Node) -> Attempt | None:
        """The attempt that this run launched; None if its folder is gone."""
        try:
            names = tickets.ticket_names(node.paths)
            if node.attempt not in names:
                return None
            return tickets.read_attempt(node.paths, node.attempt, names[node.attempt])
        except FileNotFoundError:
            return None

    def _relaunch(self, node: Node, attempt: Attempt) -> None:
        """A supervisor that ended before it won its N.start: give the order up, and try again."""
        why = "its process ended before it started"
        tickets.void(node.paths, attempt, user=self._run.record.user, why=why)
        node.failed_launches += 1
        if node.failed_launches >= MAX_FAILED_LAUNCHES:
            self.fail(node, f"{why}, {node.failed_launches} times; see {self._run.paths.log}")
        else:
            self._board.make_ready(node)

    def _release(self, node: Node) -> None:
        node.lane.gate.release(node.nonce)
        if node.handle is not None:
            node.lane.launcher.forget(node.handle)


def _changed_at(path: str) -> int:
    """When a folder last changed, in ns; 0 where it is gone."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _is_far(handle: Handle | None) -> bool:
    """Whether its launcher has it elsewhere: no process of this machine tells how it is."""
    return handle is not None and handle.process is None and bool(handle.launcher)


def _is_gone(handle: Handle | None) -> bool:
    process = None if handle is None else handle.process
    return process is not None and processes.liveness(process) is Liveness.DEAD
