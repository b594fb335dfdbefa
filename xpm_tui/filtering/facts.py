"""What is told of one job to a filter, besides its record: only who sees all runs knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from xpm_engine.filters import Filter
from xpm_engine.verbs.jobs.facts import JobFacts, SeenJob
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import How
from xpm_tui.filtering.tables import asks
from xpm_tui.store import RunKey, Store


class FilterFacts:
    """Asks the store."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def of(self, chosen: Filter, keys: Iterable[JobKey]) -> list[JobFacts[SeenJob]]:
        """Of these jobs, as far as the filter asks for it."""
        asked = list(keys)
        if not asks(chosen, "neededby"):
            return [self.of_job(key) for key in asked]
        needing = self._store.kept.dependants(asked, self._clock())
        return [self.of_job(key, needing[key]) for key in asked]

    def of_job(self, key: JobKey, needing: Sequence[JobKey] = ()) -> JobFacts[SeenJob]:
        """Of one that these jobs are made from."""
        store = self._store
        runs = self._latest_runs(key)
        job = store.job(key, runs[0] if runs else store.home_of(key))
        needed_by = (*map(str, needing), *(run.experiment for run in runs))
        if not runs and "/" in job.record.run:
            runs = [RunKey(*job.record.run.split("/", 1))]
        index = store.index(runs[0]) if runs else None
        reference = None if index is None else index.references.get(key)
        view = None if index is None else index.view
        asked = reference is not None and reference.how in (How.NEW, How.RETRIED)
        return JobFacts(
            job,
            experiments=tuple(run.experiment for run in runs),
            runs=tuple(run.run for run in runs),
            needed_by=tuple(dict.fromkeys(needed_by)),
            asked=reference.at if reference is not None and asked else None,
            user="" if view is None or view.record is None else view.record.user,
        )

    def _latest_runs(self, key: JobKey) -> list[RunKey]:
        return [run for run in self._store.runs_of(key) if self._store.is_latest(run)]
