"""Whose turn it is: dependencies, priorities and failures, without any process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from xpm_engine.config.order import Order, SharedFolder
from xpm_engine.config.submitting import SubmitOptions
from xpm_engine.launchers.fake import FakeLauncher
from xpm_engine.plan.board import Board
from xpm_engine.plan.ends import Ends
from xpm_engine.plan.lane import Lane
from xpm_engine.plan.node import Node, Stage
from xpm_engine.plan.report import why
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.reasons import Wait, WaitKind


@dataclass(frozen=True)
class _Order:
    key: JobKey
    dependencies: tuple[JobKey, ...] = ()
    tags: dict[str, Any] = field(default_factory=dict)
    shared: tuple[SharedFolder, ...] = ()
    early: tuple[str, ...] = ()


class _Board(Board):
    """A board whose jobs are all for one launcher."""

    def __init__(self, on_end: Callable[[Node], None] | None = None) -> None:
        super().__init__(on_end)
        self.lane = Lane(FakeLauncher())


def _key(number: int) -> JobKey:
    return JobKey("t", f"{number:032x}")


def _add(
    board: _Board,
    number: int,
    *after: int,
    priority: int = 0,
    shared: tuple[SharedFolder, ...] = (),
) -> Node:
    upstream = tuple(_key(each) for each in after)
    order = cast("Order", _Order(_key(number), upstream, shared=shared))
    node = Node(order, SubmitOptions(priority=priority), JobPaths(f"/w/{number}"), board.lane)
    board.add(node)
    board.connect(node)
    return node


def _take(board: _Board) -> Node:
    node = next(board.lane.ready.by_turn())
    board.lane.ready.take(node)
    node.stage = Stage.LAUNCHED
    return node


def test_jobs_are_taken_in_order_of_priority_then_of_submission() -> None:
    board = _Board()
    nodes = [_add(board, n, priority=n == 2) for n in range(4)]
    assert [_take(board) for _ in nodes] == [nodes[2], nodes[0], nodes[1], nodes[3]]
    assert not board.lane.ready.has_ready


def test_a_job_is_ready_when_all_before_it_are_done() -> None:
    board = _Board()
    first, second, third = _add(board, 1), _add(board, 2), _add(board, 3, 1, 2)
    assert {_take(board), _take(board)} == {first, second}
    board.end(first, Stage.DONE)
    assert not board.lane.ready.has_ready
    assert [wait.on for wait in board.waits()] == [(_key(2),)]
    board.end(second, Stage.DONE)
    assert _take(board) is third


def test_a_failure_blocks_all_behind_it_and_says_through_what() -> None:
    board = _Board()
    bad = _add(board, 1)
    _add(board, 2, 1)
    _add(board, 3, 2)
    free = _add(board, 4)
    assert _take(board) is bad
    board.end(bad, Stage.FAILED)
    assert board.counts.blocked == 2
    waits = {wait.key: wait for wait in board.waits()}
    assert waits[_key(3)].kind is WaitKind.UPSTREAM_FAILED
    assert waits[_key(3)].on == (_key(2), _key(1))
    assert _take(board) is free
    late = _add(board, 5, 3)
    assert late.stage is Stage.BLOCKED
    assert {wait.what for wait in board.waits()} == {""}


def test_what_is_behind_a_drifted_job_is_not_said_to_be_behind_a_failure() -> None:
    board = _Board()
    old = _add(board, 1)
    nearest, last = _add(board, 2, 1), _add(board, 3, 2)
    assert _take(board) is old
    board.end(old, Stage.DRIFTED)
    assert [wait.what for wait in board.waits()] == ["is drifted", "is drifted"]
    assert why(nearest) == why(last) == f"{old.key.task}/{old.key.short} is drifted"


def test_what_the_run_does_not_know_is_not_waited_for() -> None:
    board = _Board()
    assert _add(board, 1, 99).stage is Stage.READY


def test_the_place_in_the_queue_is_told() -> None:
    board = _Board()
    for number in range(3):
        _add(board, number)
    assert [(wait.kind, wait.place) for wait in board.waits()] == [
        (WaitKind.CORE, 1),
        (WaitKind.CORE, 2),
        (WaitKind.CORE, 3),
    ]
    assert not board.changed


@st.composite
def _graphs(draw: st.DrawFn) -> list[tuple[int, ...]]:
    """For each job, the earlier ones it depends on."""
    size = draw(st.integers(1, 12))
    return [
        tuple(draw(st.sets(st.integers(0, n - 1), max_size=3))) if n else () for n in range(size)
    ]


@given(_graphs(), st.data())
def test_every_job_ends_once_and_nothing_runs_before_what_it_needs(
    graph: list[tuple[int, ...]], data: st.DataObject
) -> None:
    ended: list[Node] = []
    board = _Board(ended.append)
    nodes = [_add(board, n, *after) for n, after in enumerate(graph)]
    done: set[JobKey] = set()
    running: list[Node] = []
    while board.counts.open:
        for node in board.lane.ready.by_turn():
            assert set(node.order.dependencies) <= done
            board.lane.ready.take(node)
            node.stage = Stage.LAUNCHED
            running.append(node)
        node = running.pop(data.draw(st.integers(0, len(running) - 1)))
        good = data.draw(st.booleans())
        board.end(node, Stage.DONE if good else Stage.FAILED)
        if good:
            done.add(node.key)
    assert len(ended) == len(set(ended)) == len(nodes)
    counts = board.counts
    assert counts.done + counts.failed + counts.blocked == counts.total == len(nodes)
    for node in nodes:
        blocked = any(key not in done for key in node.order.dependencies)
        assert (node.stage is Stage.BLOCKED) == blocked


def test_jobs_that_share_a_folder_run_one_after_the_other() -> None:
    board = _Board()
    folder = SharedFolder("t", "checkpoints", "a" * 32)
    nodes = [_add(board, n, shared=(folder,)) for n in range(3)]
    other = _add(board, 9)
    assert _take(board) is nodes[0]
    assert _take(board) is other
    assert board.lane.ready.has_ready is False
    assert [(w.kind, w.on) for w in board.waits()] == [(WaitKind.SHARED, (_key(0),))] * 2
    board.end(nodes[0], Stage.FAILED)
    assert _take(board) is nodes[1]
    board.end(nodes[1], Stage.DONE)
    assert _take(board) is nodes[2]


def test_what_is_tried_again_opens_what_was_blocked_behind_it() -> None:
    told: list[tuple[str, str]] = []
    board = _Board(lambda node: told.append((node.key.short, node.stage.value)))
    bad, other = _add(board, 1), _add(board, 2)
    behind = _add(board, 3, 1)
    last = _add(board, 4, 3)
    both = _add(board, 5, 2, 4)
    for node in (_take(board), _take(board)):
        board.end(node, Stage.FAILED)
    assert {node.stage for node in (behind, last, both)} == {Stage.BLOCKED}
    board.revive(bad)
    bad.stage = Stage.FOLLOWED
    assert (board.counts.failed, board.counts.blocked, board.counts.open) == (1, 1, 3)
    assert behind.stage is last.stage is Stage.WAITING
    assert both.stage is Stage.BLOCKED, "the other job has failed as well"
    board.end(bad, Stage.DONE)
    assert _take(board) is behind
    board.end(behind, Stage.DONE)
    board.revive(other)
    board.end(other, Stage.DONE)
    assert both.stage is Stage.WAITING
    assert _take(board) is last
    board.end(last, Stage.DONE)
    board.end(_take(board), Stage.DONE)
    assert (board.counts.done, board.counts.open) == (5, 0)


def test_a_job_that_lost_its_result_is_run_again_before_what_needs_it() -> None:
    board = _Board()
    first = _add(board, 1)
    second = _add(board, 2, 1)
    board.end(_take(board), Stage.DONE)
    assert _take(board) is second
    board.reopen(first)
    board.connect(second)
    assert (board.counts.done, board.counts.open) == (0, 2)
    assert _take(board) is first
    board.end(first, Stage.DONE)
    assert _take(board) is second


def test_a_job_made_from_a_file_that_is_there_waits_for_nothing() -> None:
    board = _Board()
    _add(board, 1)
    order = _Order(_key(2), (_key(1),), early=(f"{_key(1)}/a/b.pt",))
    node = Node(cast("Order", order), SubmitOptions(priority=1), JobPaths("/w/2"), board.lane)
    board.add(node)
    board.connect(node)
    assert node.stage is Stage.READY
    assert _take(board) is node


def test_who_waits_for_a_job_that_is_tried_again_is_told_at_its_new_end() -> None:
    told: list[str] = []
    ends = Ends(lambda key: None)
    board = _Board(ends.over)
    node = _add(board, 1)
    board.end(_take(board), Stage.FAILED)
    ends.call(_key(1), lambda: told.append("at once"))
    board.revive(node)
    ends.call(_key(1), lambda: told.append("later"))
    assert told == ["at once"]
    board.end(node, Stage.DONE)
    assert told == ["at once", "later"]


def test_a_job_that_is_kept_back_is_not_ready_and_can_be_made_so() -> None:
    kept: list[Node] = []

    def keeps(node: Node) -> bool:
        if node in kept:
            return False
        kept.append(node)
        node.stage = Stage.BRINGING
        return True

    board = _Board()
    board.keeps = keeps
    first, second = _add(board, 1), _add(board, 2, 1)
    assert _take(board) is first, "what is made from nothing is never asked about"
    board.end(first, Stage.DONE)
    assert kept == [second]
    board.tell_wait(second, Wait(_key(2), WaitKind.RESULT, on=(_key(1),), host="alpha"))
    assert [wait.kind for wait in board.waits()] == [WaitKind.RESULT]
    assert not board.lane.ready.has_ready
    assert board.counts.open == 1
    board.make_ready(second)
    assert _take(board) is second
