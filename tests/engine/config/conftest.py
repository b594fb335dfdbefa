from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from xpm_engine.config import SubmitOptions, current_submitter
from xpm_engine.config.order import Order
from xpm_engine.config.paths import PathRoots
from xpm_engine.workspace.layout import WorkspacePaths


class Recorder:
    """A submitter that keeps what it is given."""

    def __init__(self, workspace: str, project: str = "/project") -> None:
        self.roots = PathRoots(WorkspacePaths(workspace), project, "/data")
        self.orders: list[Order] = []
        self.options: list[SubmitOptions] = []

    def submit(self, task: Any, order: Order, options: SubmitOptions) -> None:
        self.orders.append(order)
        self.options.append(options)

    @property
    def last(self) -> Order:
        return self.orders[-1]


@pytest.fixture
def submitter() -> Iterator[Recorder]:
    """An experiment in /ws, for this test."""
    recorder = Recorder("/ws")
    token = current_submitter.set(recorder)
    yield recorder
    current_submitter.reset(token)
