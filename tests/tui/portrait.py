"""All that a store says of a workspace, in a form that can be compared."""

from __future__ import annotations

from collections.abc import Iterator

from xpm_engine.workspace.layout import WorkspacePaths
from xpm_tui.store import AllJobsSubject, FailedSubject, GroupSubject, RunKey, Store
from xpm_tui.store.reader import Look, Reader
from xpm_tui.store.subjects import ExperimentSubject, Grouping

Portrait = dict[tuple[str, ...], object]


def fresh(workspace: WorkspacePaths) -> Portrait:
    """What somebody sees who remembers nothing and looks now."""
    store = Store(workspace)
    for delta in Reader(workspace).read(Look(everything=True)):
        store.apply(delta)
    return portrait(store)


def portrait(store: Store) -> Portrait:
    """Every answer that screens are drawn from."""
    found: Portrait = {
        ("problem",): store.problem,
        ("totals",): store.totals(),
        ("experiments",): store.experiments(),
        ("all",): tuple(store.keys(AllJobsSubject())),
        ("states",): store.counts(AllJobsSubject()),
        ("failed",): tuple(store.keys(FailedSubject())),
        ("trash",): store.trash,
    }
    for experiment in store.experiments():
        name = experiment.name
        found["left", name] = store.left_behind(name)
        found["later", name] = store.later_runs(name)
        found["jobs", name] = tuple(store.keys(ExperimentSubject(name)))
        for run in experiment.runs:
            found.update(_of_run(store, run))
    for key in store.known():
        found["job", str(key)] = store.job(key, store.home_of(key))
        found["runs", str(key)] = store.runs_of(key)
    return found


def _of_run(store: Store, run: RunKey) -> Iterator[tuple[tuple[str, ...], object]]:
    yield ("run", str(run)), store.run(run)
    for by in Grouping:
        for group in store.groups(run, by):
            yield ("group", str(run), by.value, *group.key.path), group
            jobs = store.keys(GroupSubject(run, group.key))
            yield ("members", str(run), by.value, *group.key.path), tuple(jobs)
    index = store.index(run)
    for key in () if index is None else index.keys:
        job = store.job(key, run)
        yield ("seen", str(run), str(key)), (job, store.title(job))
