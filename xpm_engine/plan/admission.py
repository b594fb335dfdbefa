"""How a submitted job enters a run: referred to, checked for drift, then reused or connected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.errors import UnreadableError
from xpm_engine.plan.board import Board
from xpm_engine.plan.claims import Look, Verdict
from xpm_engine.plan.dispatch import Dispatch
from xpm_engine.plan.drift import Drift, accept, find_drift, policy_of, remove_for_rerun
from xpm_engine.plan.environment import other_project
from xpm_engine.plan.lane import Lane
from xpm_engine.plan.node import Node, Stage
from xpm_engine.plan.orders import JobOrder, store_order
from xpm_engine.plan.run import RunWriter
from xpm_engine.workspace import aliases, tickets
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.runs import How, Reference
from xpm_engine.workspace.settings import OnDrift


@dataclass(frozen=True)
class Submission:
    """What a plan's thread hands over."""

    order: JobOrder
    options: SubmitOptions
    lane: Lane
    adopted: JobKey | None = None
    """The job under a former name whose result it has."""
    again: bool = False
    """Whether a person asked for it to be run again."""


class Admission:
    """Takes submissions into a run, in the scheduler's thread."""

    def __init__(
        self,
        workspace: WorkspacePaths,
        run: RunWriter,
        board: Board,
        dispatch: Dispatch,
        on_drift: OnDrift,
    ) -> None:
        self._workspace = workspace
        self._run = run
        self._board = board
        self._dispatch = dispatch
        self._on_drift = on_drift

    def admit(self, submissions: Sequence[Submission]) -> None:
        """Take a batch in.

        Each is first looked at, so that its reference can say how it was come by; but only what
        is read after the reference is on the disk may be acted on: a cleaner that won before has
        seen no reference, one that comes later will see it.
        """
        fresh = [node for each in submissions if (node := self._node(each)) is not None]
        hints = [self._dispatch.look(node) for node in fresh]
        for node, hint in zip(fresh, hints, strict=True):
            node.how = _how(node, hint)
            self._find_drift(node, hint)
        if fresh:
            self._run.reference([_reference(node) for node in fresh])
        unsettled = self._settle_drift([node for node in fresh if node.drift is not None])
        for node, hint in zip(fresh, hints, strict=True):
            if node in unsettled:
                self._dispatch.end(node, Stage.DRIFTED, None)
            elif node.adopted is not None:
                self._adopt(node, node.adopted)
            elif (
                isinstance(hint, Look)
                and hint.verdict is Verdict.DONE
                and tickets.stands(node.paths, hint.number)
            ):
                self._dispatch.end(node, Stage.DONE, None)
            elif not self._dispatch.settle(node, self._dispatch.look(node)):
                self._board.connect(node)
        self._store([node for node in fresh if node.stage in (Stage.WAITING, Stage.BLOCKED)])

    def _store(self, waiting: Sequence[Node]) -> None:
        """Keep the orders of jobs that wait for others: with this plan dead they have no ticket."""
        self._run.store(
            store_order(node.order, node.options, tags=node.tags, launcher=node.lane.name)
            for node in waiting
            if node.order.dependencies
        )

    def _node(self, submission: Submission) -> Node | None:
        """A job that is new to the run; None for one that was submitted before."""
        order = submission.order
        known = self._board.nodes.get(order.key)
        if known is None:
            paths = self._workspace.job(order.key)
            node = Node(
                order,
                submission.options,
                paths,
                submission.lane,
                adopted=submission.adopted,
                how=How.RETRIED if submission.again else How.NEW,
            )
            self._board.add(node)
            return node
        merged = {**known.tags, **order.tags}
        if merged != known.tags:
            known.tags = merged
            self._run.reference([_reference(known)])
        return None

    def _adopt(self, node: Node, former: JobKey) -> None:
        if not aliases.has_result(self._workspace, former):
            text = f"the result under its former name was removed meanwhile: {former}"
            self._dispatch.fail(node, text)
            return
        if aliases.resolve(self._workspace, node.key) != former:
            aliases.adopt(self._workspace, node.key, former, run=self._run.name)
        self._dispatch.end(node, Stage.DONE, None)

    def _find_drift(self, node: Node, hint: Look | UnreadableError) -> None:
        node.executed = node.order.resolved
        if not isinstance(hint, Look) or not hint.resolved or hint.verdict is Verdict.FREE:
            return
        node.executed = hint.resolved
        number = hint.ended or hint.number
        try:
            node.drift = find_drift(
                node.order,
                node.paths,
                number,
                hint.resolved,
                settled=self._settled,
                upstream=self._upstream_drift(node.order),
                other_project=other_project(hint.project, self._run.project),
            )
        except UnreadableError as error:
            node.drift = Drift((f"{error.where}: {error.what}",))

    def _settled(self, key: JobKey) -> str | None:
        """What `find_drift` asks about upstream jobs; they were submitted before."""
        node = self._board.nodes.get(key)
        return node.executed if node is not None and node.drift is None else None

    def _upstream_drift(self, order: JobOrder) -> list[Drift]:
        nodes = [self._board.nodes.get(key) for key in order.dependencies]
        return [node.drift for node in nodes if node is not None and node.drift is not None]

    def _settle_drift(self, drifted: Sequence[Node]) -> set[Node]:
        """Carry out what is said about drift; the jobs that may neither be used nor run."""
        again: list[Node] = []
        unsettled: set[Node] = set()
        for node in drifted:
            policy = policy_of(node.options.on_drift, self._on_drift)
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
        record = self._run.record
        refused = remove_for_rerun(self._workspace, [node.key for node in nodes], record)
        for node in nodes:
            why = refused.get(node.key)
            if why is None:
                node.how = How.NEW
                node.executed = node.order.resolved
            else:
                node.drift = Drift((f"{node.key} can't be run again: {why}",))
        self._run.log(f"moved {len(nodes) - len(refused)} drifted jobs to the trash")
        return {node for node in nodes if node.key in refused}


def _reference(node: Node) -> Reference:
    order, drift = node.order, node.drift
    params: Mapping[str, Any] = order.flat
    return Reference(
        key=order.key,
        how=node.how,
        at=now(),
        tags=dict(node.tags),
        params=dict(params),
        dependencies=order.dependencies,
        drift=() if drift is None else drift.changes,
        resolved="" if drift is None else order.resolved,
        alias=node.adopted,
    )


def _how(node: Node, hint: Look | UnreadableError) -> How:
    if node.adopted is not None:
        return How.REUSED
    if not isinstance(hint, Look) or hint.verdict is Verdict.FREE:
        return node.how
    return How.REUSED if hint.verdict is Verdict.DONE else How.ATTACHED
