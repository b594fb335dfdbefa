"""Actions that would find nothing to do: the key bar has better use of its cells."""

from __future__ import annotations

from collections.abc import Collection, Set

from xpm_engine.verbs.kill import KILLABLE
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_tui.screens.retry import ASKED
from xpm_tui.store import (
    ExperimentSubject,
    FailedSubject,
    GroupSubject,
    JobSubject,
    LogSubject,
    RunKey,
    RunSubject,
    Store,
)
from xpm_tui.widgets.tree.model import TreeRow

MOST_ASKED = 200
"""Jobs that are asked how they are; of more, any action may find some."""


def idle_on_jobs(store: Store, keys: Collection[JobKey]) -> frozenset[str]:
    """Those that find nothing to do among these jobs."""
    if len(keys) > MOST_ASKED:
        return frozenset()
    # That their plan could be stopped is no reason to offer to kill what is over.
    idle = _idle({store.state(key, store.home_of(key)) for key in keys}, goes_on=False)
    without_folder = keys and not any(store.record(key).attempt for key in keys)
    return idle | {"pin", "remove"} if without_folder else idle


def idle_on_row(store: Store, row: TreeRow | None) -> frozenset[str]:
    """Those that find nothing to do in what a row of the tree stands for."""
    match None if row is None else row.subject:
        case JobSubject(key) | LogSubject(key):
            return _without_group(idle_on_jobs(store, (key,)))
        case FailedSubject():
            return _without_group(_idle({JobState.FAILED}, goes_on=False))
        case ExperimentSubject() | RunSubject() | GroupSubject() as subject:
            group = None if row is None else row.group
            counts = store.counts(subject) if group is None else group.counts
            states = {state for state, count in counts.of.items() if count}
            whole = not isinstance(subject, GroupSubject)
            return _idle(states, goes_on=whole and _is_live(store, store.run_of(subject)))
        case _:
            return frozenset()


def _idle(states: Set[JobState], *, goes_on: bool) -> frozenset[str]:
    idle: set[str] = set()
    if not (states & KILLABLE or goes_on):
        idle.add("kill")
    if not states & ASKED:
        idle.add("retry")
    return frozenset(idle)


def _without_group(idle: frozenset[str]) -> frozenset[str]:
    """Where something can be run again, that matters more than how the tree is grouped."""
    return idle if "retry" in idle else idle | {"group"}


def _is_live(store: Store, run: RunKey | None) -> bool:
    view = None if run is None else store.run(run)
    return view is not None and view.live
