"""The plan of removal that somebody asked for: of jobs, of runs, or of all that is obsolete."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpm_engine.verbs.cleaning.obsolete import Surveyed
from xpm_engine.verbs.cleaning.offers import (
    Offering,
    Section,
    in_order,
    offer_jobs,
    offer_obsolete,
    offer_runs,
    run_row,
)
from xpm_engine.workspace.cleaning.needs import RunName
from xpm_engine.workspace.layout import JobKey, WorkspacePaths


@dataclass(frozen=True)
class Wanted:
    """What a plan is to be about."""

    keys: tuple[JobKey, ...] | None = None
    """Jobs that somebody chose; None for all that is obsolete."""
    runs: tuple[RunName, ...] = ()
    """Runs that are rows too."""
    runs_chosen: bool = False
    """Whether the runs are what is meant, so that they are ticked and their jobs follow."""


def offer(workspace: WorkspacePaths, seen: Surveyed, wanted: Wanted) -> Offering:
    """The rows of the plan; reads the disk, and changes nothing."""
    names = frozenset(wanted.runs)
    if wanted.runs_chosen:
        return offer_runs(workspace, seen, names)
    if wanted.keys is None:
        return offer_obsolete(workspace, seen)
    offering = offer_jobs(workspace, seen, wanted.keys)
    views = [view for view in seen.runs if (view.experiment, view.run) in names]
    if not views:
        return offering
    later = seen.without(names)
    rows = [replace(run_row(view, Section.RUNS, later), ticked=False) for view in views]
    return replace(offering, rows=tuple(in_order([*offering.rows, *rows])))
