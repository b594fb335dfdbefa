"""What could be cleaned, why, who needs it all the same, and the plan that follows from ticks."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from xpm_engine.collecting import not_collecting
from xpm_engine.words import plain, when
from xpm_engine.workspace import scan
from xpm_engine.workspace.cleaning import RemovalPlan, list_leftovers, plan_removal
from xpm_engine.workspace.cleaning.needs import RunName, runs_over
from xpm_engine.workspace.cleaning.piece_places import place_of
from xpm_engine.workspace.cleaning.sizes import folder_size
from xpm_engine.workspace.index import JobReader, Records, ended_of, records, state_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.obsolete import NOTHING_UNSEEN, Obsolete, ObsoleteReason, Survey, survey
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece
from xpm_engine.workspace.replaced import Replacement

Offer = JobKey | Piece
"""What can be ticked: a job, or something that is no whole job."""

_COMMIT_DIGITS = 7


@dataclass(frozen=True)
class Surveyed:
    """A survey, what it rests on, and which runs can't have changed since."""

    survey: Survey
    over: frozenset[RunName]
    """The runs that had ended before their manifests were read; others are asked again."""
    runs: tuple[scan.RunView, ...] = ()
    pinned: frozenset[JobKey] = frozenset()
    unseen: scan.Unseen = NOTHING_UNSEEN
    """What can't be looked into, and may hold runs and jobs."""

    def without(self, names: Collection[RunName]) -> Surveyed:
        """What would be obsolete without these runs."""
        runs = tuple(run for run in self.runs if (run.experiment, run.run) not in names)
        found = survey(runs, self.survey.jobs, pinned=self.pinned, unseen=self.unseen)
        return replace(self, survey=found, runs=runs)


def survey_workspace(workspace: WorkspacePaths) -> Surveyed:
    """Read all runs and jobs of a workspace, and find what is obsolete; changes nothing there.

    What did not change since the app or another command remembered it is not read again, and what
    had to be read is remembered for the next.
    """
    with not_collecting():
        return _survey(workspace)


def _survey(workspace: WorkspacePaths) -> Surveyed:
    over = runs_over(workspace)
    reader = JobReader(workspace)
    rows = reader.everything()
    runs = [
        reader.run(experiment, run)
        for experiment in scan.list_experiments(workspace)
        for run in scan.list_runs(workspace, experiment)
    ]
    reader.keep()
    return survey_known(workspace, Records(rows), runs, over=over)


def survey_known(
    workspace: WorkspacePaths,
    jobs: Mapping[JobKey, scan.JobRecord],
    runs: Iterable[scan.RunView],
    *,
    over: Collection[RunName] | None = None,
) -> Surveyed:
    """Find what is obsolete among jobs and runs that were read already.

    Without `over` those runs count as over that were so when they were read.
    """
    views = tuple(runs)
    if over is None:
        ended = (run for run in views if run.plan not in (None, PlanState.RUNNING))
        over = {(run.experiment, run.run) for run in ended}
    known = records(jobs)
    leftovers = {
        key: attempts
        for key in known.tried_again()
        if (attempts := list_leftovers(workspace.job(key)))
    }
    pinned = known.pinned()
    unseen = scan.look_for_unseen(workspace)
    found = survey(views, known, pinned=pinned, leftovers=leftovers, unseen=unseen)
    return Surveyed(found, frozenset(over), views, pinned, unseen)


def offer_of(item: Obsolete) -> Offer:
    """What is ticked for an item of a survey."""
    return Piece.leftovers(item.key, item.attempt) if item.attempt else item.key


def ticked(found: Survey, *, finished: bool = False) -> tuple[Obsolete, ...]:
    """What is ticked at first: leftovers and failed jobs; with `finished`, every obsolete job.

    Never what somebody needs, nor what a job that is not ticked was made from.
    """
    chosen = [item for item in found.obsolete if item.ticked or (finished and item.free)]
    leaving = without_needed(found, {item.key for item in chosen if not item.attempt})
    return tuple(item for item in chosen if item.attempt or item.key in leaving)


def unneeded(found: Survey, keys: Collection[JobKey]) -> frozenset[JobKey]:
    """Those of `keys` that nobody needs but others of them, and of which that is certain."""
    doubtful = {item.key for item in found.obsolete if item.reason is ObsoleteReason.CANNOT_TELL}
    wanted = frozenset(keys) - doubtful
    free = {key for key in wanted if all(need.job in wanted for need in found.needs(key))}
    return frozenset(without_needed(found, free))


def without_needed(found: Survey, leaving: set[JobKey]) -> set[JobKey]:
    """Without what a job is made from that does not leave."""
    if not leaving:
        return leaving
    staying = [key for key in found.jobs if key not in leaving]
    while staying:
        needed = found.dependencies(staying.pop()) & leaving
        leaving -= needed
        staying.extend(needed)
    return leaving


def measure_offered(workspace: WorkspacePaths, offers: Iterable[Offer]) -> dict[Offer, int]:
    """Bytes on the disk of each; a file with several hard links counts once."""
    seen: set[tuple[int, int]] = set()
    return {offer: size_of(workspace, offer, seen) for offer in offers}


def size_of(workspace: WorkspacePaths, offer: Offer, seen: set[tuple[int, int]]) -> int:
    """Bytes on the disk; `seen` are the files with several hard links that were counted."""
    if isinstance(offer, JobKey):
        return folder_size(workspace.job(offer).root, seen)
    return folder_size(place_of(workspace, offer), seen)


def plan_clean(
    workspace: WorkspacePaths,
    seen: Surveyed,
    chosen: Iterable[Offer],
    *,
    sizes: Mapping[Offer, int] | None = None,
) -> RemovalPlan:
    """The plan to move what was ticked; every row is checked again when it is carried out.

    What belongs to a job that goes as a whole goes with it.
    """
    known = sizes or {}
    offers = list(dict.fromkeys(chosen))
    keys = [offer for offer in offers if isinstance(offer, JobKey)]
    whole = frozenset(keys)
    plan = plan_keys(workspace, seen, keys)
    pieces = tuple(
        replace(offer, size=known.get(offer))
        for offer in offers
        if isinstance(offer, Piece) and offer.key not in whole
    )
    rows = tuple(replace(row, size=known.get(row.key)) for row in plan.rows)
    return replace(plan, rows=rows, pieces=pieces)


def plan_keys(workspace: WorkspacePaths, seen: Surveyed, keys: Collection[JobKey]) -> RemovalPlan:
    """The plan to move these jobs; a run that ended after the survey is asked as well."""
    plan = plan_removal(workspace, list(keys), records=seen.survey.jobs)
    return replace(plan, over=plan.over & seen.over)


def told(item: Obsolete, *, now: float | None = None) -> tuple[str, tuple[str, ...]]:
    """Why something is offered: in a line, and in the words that its like share.

    The last of these tell it more generally. `now` is in seconds since 1970.
    """
    clock = time.time() if now is None else now
    state = state_of(item.row)
    match item.reason:
        case ObsoleteReason.CANNOT_TELL:
            unreadable = state is JobState.UNREADABLE
            why = plain(item.problem)
            return why, ("their records can't be read" if unreadable else why,)
        case ObsoleteReason.LEFTOVERS:
            why = f"attempt {item.job.attempt} {state.value} {_over(item, clock)}".rstrip()
            return why, (f"a later attempt is {state.value}",)
        case ObsoleteReason.IN_NO_RUN:
            ended = _over(item, clock)
            why = "no run names it" + (f"; last used {ended}" if ended else "")
            return why, ("no run names it",)
        case ObsoleteReason.FAILED:
            tails = _replaced_words(item.replacement, clock)
            ended = f"{state.value} {_over(item, clock)}".rstrip()
            why = f"{ended}; {tails[0] or 'no run names it'}"
            return why, tuple(f"{state.value}; {tail or 'no run names it'}" for tail in tails)
        case ObsoleteReason.REPLACED:
            words = _replaced_words(item.replacement, clock)
            return words[0], words


def _over(item: Obsolete, clock: float) -> str:
    """When a job ended, or began where it has no end."""
    return when(ended_of(item.row) or item.job.started, clock)


def _replaced_words(by: Replacement | None, clock: float) -> tuple[str, str]:
    """What took its place, the second time more generally; empty where nothing did.

    ``run drmm 20 Nov: lr 0.5 → 0.1 (seed=1, commit 1f2e3d4)`` and
    ``run drmm 20 Nov: values of lr left``
    """
    if by is None:
        return "", ""
    run, left = _run_words(by.run, by.at, clock), by.left
    nothing = "" if left else _nothing_left(by)
    names = ", ".join(dict.fromkeys(value.name.rpartition(".")[2] for value in left))
    exact = ", ".join(map(str, left)) or nothing
    return (
        plain(f"{run}: {exact}{_asked_words(by)}"),
        plain(f"{run}: {nothing or f'values of {names} left'}"),
    )


@lru_cache(maxsize=256)
def _run_words(run: str, at: str, clock: float) -> str:
    """``run drmm 20 Nov``, the same for all that one run replaced."""
    return f"run {run.partition('/')[0]} {when(at, clock)}"


def _asked_words(by: Replacement) -> str:
    """`` (seed=1, commit 1f2e3d4)``; empty where there is nothing to tell."""
    facts = [f"{name}={value}" for name, value in by.arguments]
    if by.commit:
        facts.append(f"commit {by.commit[:_COMMIT_DIGITS]}")
    return f" ({', '.join(facts)})" if facts else ""


def _nothing_left(by: Replacement) -> str:
    return "uses no job of this task" if by.task_left else "other combinations of values"
