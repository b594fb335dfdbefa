"""Running the demo's tasks right where they are submitted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xpm_engine import Task
from xpm_engine.config.order import Order
from xpm_engine.config.paths import PathRoots
from xpm_engine.config.submitting import SubmitOptions, current_submitter
from xpm_engine.workspace.layout import JobKey, WorkspacePaths


class AtOnce:
    """A submitter that executes a task before `submit` returns, each identifier once."""

    def __init__(self, folder: Path) -> None:
        self.workspace = WorkspacePaths.at(folder / "workspace")
        self.roots = PathRoots(self.workspace, str(folder))
        self.orders: dict[JobKey, Order] = {}

    def submit(self, task: Task[Any], order: Order, options: SubmitOptions) -> None:
        key = JobKey(order.task, order.identifier)
        if key not in self.orders:
            self.orders[key] = order
            Path(self.workspace.job(key).root).mkdir(parents=True)
            task.execute()


@pytest.fixture
def at_once(tmp_path: Path) -> Iterator[AtOnce]:
    """While the test runs, submitted tasks are executed at once, below its own folder."""
    submitter = AtOnce(tmp_path)
    token = current_submitter.set(submitter)
    yield submitter
    current_submitter.reset(token)
