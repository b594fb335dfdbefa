"""Which run an experiment stands on: a plan that broke off takes nothing away.

A plan that raised before it had named its jobs, was interrupted, crashed or was asked for a part
retires nothing. So the run before goes on to stand for the experiment if the later
one names nothing that this one does not; and where it does name more, and stands itself, what
failed in the run before is still to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from xpm_engine.workspace import scan
from xpm_engine.workspace.index.packing import keys_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths, is_retry
from xpm_engine.workspace.records.runs import Manifest, PlanState
from xpm_engine.workspace.retries import with_retries
from xpm_engine.workspace.scan import RunView


@dataclass(frozen=True)
class Standing:
    """An experiment's runs of its plan, as far back as they count."""

    view: RunView
    """The run that stands for the experiment."""
    later: tuple[RunView, ...] = ()
    """Those that broke off on the way through the same plan, newest first."""
    before: tuple[RunView, ...] = ()
    """Those that it does not replace, newest first."""

    def left(self) -> Iterator[tuple[RunView, list[JobKey]]]:
        """The jobs of the runs before that nothing newer names, run by run."""
        known: set[JobKey] = set()
        for view in (self.view, *self.later):
            known.update(keys_of(view.manifest))
        for view in self.before:
            keys = [key for key in keys_of(view.manifest) if key not in known]
            known.update(keys)
            yield view, keys


def speaks_for_all(view: RunView) -> bool:
    """Whether a plan said all there is to say about its experiment, or is about to."""
    return view.plan in (PlanState.COMPLETE, PlanState.RUNNING)


def stand(views: Iterable[RunView]) -> Standing | None:
    """What an experiment stands on, of its plan's runs, newest first; None without a run.

    No more of them are asked for than count: one, where the latest run is complete.
    """
    counting: list[RunView] = []
    for view in views:
        counting.append(view)
        if speaks_for_all(view):
            break
    if not counting:
        return None
    found = Standing(counting.pop())
    while counting:
        view = counting.pop()
        if _broke_off(view, found.view):
            found = replace(found, later=(view, *found.later))
        else:
            found = Standing(view, before=(found.view, *found.before))
    return found


def _broke_off(view: RunView, standing: RunView) -> bool:
    """Whether a run that is not complete says less than the one before, and nothing else."""
    if speaks_for_all(view):
        return False
    named, before = set(keys_of(view.manifest)), set(keys_of(standing.manifest))
    # What was seen drifted is news, and so a reason to be shown.
    return named < before and not any(line.drift for line in view.manifest.references)


@dataclass(frozen=True)
class Current:
    """An experiment as it is now: what it stands on, and what was retried since."""

    view: RunView
    """The run that stands for it, with the waits of its jobs as the retries tell them."""
    standing: Standing
    retries: tuple[RunView, ...]
    """Oldest first."""

    @property
    def views(self) -> tuple[RunView, ...]:
        """All of its runs that count, as they were read: first the one that stands for it."""
        standing = self.standing
        return (standing.view, *self.retries, *standing.later, *standing.before)


def read_current(
    workspace: WorkspacePaths,
    experiment: str,
    *,
    read: Callable[[str, str], RunView] | None = None,
) -> Current | None:
    """What counts of an experiment's runs, read by `read`; None without a run.

    Where there is none of a plan, its first retry stands for it.
    """
    runs = scan.list_runs(workspace, experiment)

    def view_of(run: str) -> RunView:
        return scan.read_run(workspace, experiment, run) if read is None else read(experiment, run)

    plans = [run for run in reversed(runs) if not is_retry(run)] or runs[:1]
    standing = stand(map(view_of, plans))
    if standing is None:
        return None
    since = [run for run in runs if is_retry(run) and run > standing.view.run]
    retries = tuple(map(view_of, since))
    return Current(with_retries(standing.view, retries), standing, retries)


def narrowed(view: RunView, keys: Iterable[JobKey]) -> RunView:
    """A run as if it had named these of its jobs only."""
    wanted = set(keys)
    lines = tuple(line for line in view.manifest.references if line.key in wanted)
    return replace(view, manifest=Manifest(lines, view.manifest.ended, view.manifest.damage))
