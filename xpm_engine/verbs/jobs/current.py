"""The current runs of a workspace: what is referenced, what is made from what, what is kept."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from xpm_engine.workspace import scan
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.orders import OrderLines, StoredOrder
from xpm_engine.workspace.records.reasons import WaitKind
from xpm_engine.workspace.scan import RunView
from xpm_engine.workspace.standing import read_current


class CurrentRuns:
    """What counts of each experiment's runs, with the retries since; read once."""

    def __init__(self, workspace: WorkspacePaths) -> None:
        self.workspace = workspace
        self.views: dict[str, list[RunView]] = {
            experiment: [] if current is None else list(current.views)
            for experiment in scan.list_experiments(workspace)
            for current in (read_current(workspace, experiment),)
        }
        self.experiments: dict[JobKey, list[str]] = {}
        """Job -> the experiments that reference it; the jobs in the order of the plans."""
        self._downstream: dict[JobKey, list[JobKey]] = {}
        for experiment, views in self.views.items():
            for view in views:
                self._add(experiment, view)

    def downstream(self, keys: Iterable[JobKey]) -> list[JobKey]:
        """What is made from these jobs, at any depth, in the order of the plans."""
        found: set[JobKey] = set()
        stack = list(keys)
        while stack:
            for key in self._downstream.get(stack.pop(), ()):
                if key not in found:
                    found.add(key)
                    stack.append(key)
        places = {key: place for place, key in enumerate(self.experiments)}
        return sorted(found, key=lambda key: places[key])

    @cached_property
    def blocked(self) -> frozenset[JobKey]:
        """The jobs that a run says are blocked."""
        return frozenset(
            wait.key
            for views in self.views.values()
            for view in views
            if view.queue is not None
            for wait in view.queue.waits
            if wait.kind is WaitKind.UPSTREAM_FAILED
        )

    def order(self, key: JobKey) -> StoredOrder | None:
        """The order of a job that has no attempt, if a run kept it; the newest run's."""
        found = (lines.get(key) for lines in self._orders)
        return next((order for order in found if order is not None), None)

    @cached_property
    def _orders(self) -> list[OrderLines]:
        views = [view for each in self.views.values() for view in each]
        views.sort(key=lambda view: view.run, reverse=True)
        return [scan.read_orders(self.workspace.run(view.experiment, view.run)) for view in views]

    def _add(self, experiment: str, view: RunView) -> None:
        for line in view.manifest.references:
            names = self.experiments.setdefault(line.key, [])
            if experiment not in names:
                names.append(experiment)
            for upstream in line.dependencies:
                self._downstream.setdefault(upstream, []).append(line.key)
