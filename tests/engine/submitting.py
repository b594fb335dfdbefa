"""Submitting tasks without a plan: orders, as a plan would get them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from xpm_engine.config import SubmitOptions, current_submitter
from xpm_engine.config.order import Order, order_of
from xpm_engine.config.paths import PathRoots
from xpm_engine.workspace.layout import WorkspacePaths


class Collector:
    """A submitter that keeps what it is given."""

    def __init__(self, workspace: str, project: str) -> None:
        self.roots = PathRoots(WorkspacePaths(workspace), project, "")
        self.orders: list[Order] = []

    def submit(self, task: Any, order: Order, options: SubmitOptions) -> None:
        self.orders.append(order)


@contextmanager
def submitting(workspace: str = "/ws", project: str = "/project") -> Iterator[Collector]:
    """Have `submit` do nothing but collect the orders, in this block."""
    collector = Collector(workspace, project)
    token = current_submitter.set(collector)
    try:
        yield collector
    finally:
        current_submitter.reset(token)


def order(task: Any) -> Order:
    """The order of a task, in the block of `submitting`."""
    submitter = current_submitter.get()
    assert submitter is not None
    return order_of(task, submitter.roots)
