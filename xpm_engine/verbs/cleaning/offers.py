"""What a plan of removal offers, row by row: jobs and what is no whole job, why, and who needs it.

The command line and the app show the same rows; what is ticked of them becomes a plan by
`plan_clean`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any

from xpm_engine.collecting import not_collecting
from xpm_engine.verbs.cleaning.obsolete import (
    Offer,
    Surveyed,
    offer_of,
    ticked,
    told,
)
from xpm_engine.words import plain, plural, when
from xpm_engine.workspace.cleaning.folders import FolderCheck
from xpm_engine.workspace.cleaning.needs import Need, NeedKind, RunName
from xpm_engine.workspace.cleaning.plan import NOT_OVER
from xpm_engine.workspace.cleaning.shared import list_shared, users_of_shared
from xpm_engine.workspace.index import JobRow, Records, record_of, tags_in
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.obsolete import Obsolete, ObsoleteReason, retires
from xpm_engine.workspace.recompute import Cost, cost_again
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.records.trash import Piece, PieceKind
from xpm_engine.workspace.scan import JobRecord, RunView


class Section(Enum):
    """Under which title a row stands, in the order of the screens."""

    LEFTOVERS = "Leftovers of dead attempts"
    FAILED = "Failed, not in the last run"
    REPLACED = "Replaced by a complete run"
    IN_NO_RUN = "In no run"
    SHARED = "Shared folders that no job lists"
    NOT_BEST = "Not among the best"
    OLD_RUNS = "Old runs"
    RUNS = "Runs"
    CHOSEN = "In use"
    FILES = "Files of finished jobs"
    LOGS = "Logs to pack"
    CANNOT_TELL = "Cannot tell, left alone"


_SECTIONS = {
    ObsoleteReason.LEFTOVERS: Section.LEFTOVERS,
    ObsoleteReason.FAILED: Section.FAILED,
    ObsoleteReason.REPLACED: Section.REPLACED,
    ObsoleteReason.IN_NO_RUN: Section.IN_NO_RUN,
    ObsoleteReason.CANNOT_TELL: Section.CANNOT_TELL,
}


@dataclass(frozen=True, slots=True)
class OfferRow:
    """One row of a plan; there may be very many, so that little is kept of each."""

    offer: Offer
    section: Section
    why: str
    known: JobRow | None = None
    """What is known of the job, or of the one that a piece belongs to."""
    by: str = ""
    """``experiment/run`` of the run that took its place; empty where none did."""
    run: RunView | None = None
    needs: tuple[Need, ...] = ()
    """Who needs it all the same."""
    refused: str = ""
    """Why it can't be ticked; empty if it can."""
    ticked: bool = False
    """Whether it is at first."""
    alike: tuple[str, ...] = ()
    """Why, without what is told of this row alone, and then the more generally."""

    @property
    def key(self) -> JobKey | None:
        """The job, or the one that a piece belongs to."""
        return self.offer if isinstance(self.offer, JobKey) else self.offer.key

    @property
    def job(self) -> JobRecord | None:
        """Its record, made when it is asked for."""
        key, known = self.key, self.known
        return None if key is None or known is None else record_of(key, known)

    @property
    def tags(self) -> Mapping[str, Any]:
        """Its tags, made when they are asked for; none where there is no job."""
        return {} if self.known is None else tags_in(self.known)

    @property
    def likeness(self) -> tuple[str, ...]:
        """Why, in the words that rows of the same reason have in common; at least one."""
        return self.alike or (self.why,)

    @property
    def free(self) -> bool:
        """Whether it can be ticked, and nobody needs it."""
        return not self.refused and not self.needs


@dataclass(frozen=True)
class Offering:
    """All rows, with what they rest on."""

    seen: Surveyed
    rows: tuple[OfferRow, ...]

    @property
    def ticked(self) -> frozenset[Offer]:
        """What is ticked at first."""
        return frozenset(row.offer for row in self.rows if row.ticked)

    @cached_property
    def ready(self) -> frozenset[Offer]:
        """What can be ticked."""
        return frozenset(row.offer for row in self.rows if not row.refused)

    def cost(self, row: OfferRow) -> Cost:
        """What it takes to compute a row again."""
        if not isinstance(row.offer, JobKey):
            return Cost()
        return cost_again(self.seen.survey, [row.offer])


@not_collecting()
def offer_obsolete(
    workspace: WorkspacePaths, seen: Surveyed, *, finished: bool = False, nothing: bool = False
) -> Offering:
    """All that is obsolete; ticked as `ticked` says, or nothing at all."""
    first = () if nothing else ticked(seen.survey, finished=finished)
    rows = _obsolete_rows(seen, seen.survey.obsolete, {offer_of(item) for item in first})
    rows += _shared_rows(workspace, seen.survey.jobs)
    return _arranged(workspace, seen, rows)


@not_collecting()
def offer_jobs(workspace: WorkspacePaths, seen: Surveyed, keys: Collection[JobKey]) -> Offering:
    """Jobs that somebody chose: what is obsolete of them with its reason, the others as in use.

    Ticked is what nobody needs, and no finished result; but a single job was named by the user.
    """
    wanted = frozenset(keys)
    found = [item for item in seen.survey.obsolete if item.key in wanted]
    known = {item.key for item in found if not item.attempt}
    first = {offer_of(item) for item in ticked(seen.survey) if item.key in wanted}
    rows = _obsolete_rows(seen, found, first)
    for key in keys:
        if key not in known:
            rows.append(_in_use(seen, key))
    alone = len(wanted) == 1
    leaving = {key for key in wanted if _goes_at_first(seen, key, wanted, alone=alone)}
    rows = [row if row.offer not in leaving else replace(row, ticked=True) for row in rows]
    return _arranged(workspace, seen, rows)


@not_collecting()
def offer_runs(
    workspace: WorkspacePaths, seen: Surveyed, names: Collection[RunName], *, finished: bool = False
) -> Offering:
    """Runs, and the jobs that no other run would name; the runs ticked, of the jobs failed ones.

    With `finished` every job that nobody else needs is ticked.
    """
    wanted = frozenset(names)
    runs = [run for run in seen.runs if (run.experiment, run.run) in wanted]
    later = seen.without({(run.experiment, run.run) for run in runs if not _run_trouble(run)})
    named = {line.key for run in runs for line in run.manifest.references}
    found = [item for item in later.survey.obsolete if item.key in named and not item.attempt]
    first = {offer_of(item) for item in ticked(later.survey, finished=finished)}
    rows = [run_row(run, Section.RUNS, later) for run in runs]
    for row in _obsolete_rows(later, found, first):
        alone = row.section is Section.IN_NO_RUN
        rows.append(replace(row, why="no run that stays names it") if alone else row)
    return _arranged(workspace, later, rows)


def run_row(run: RunView, section: Section, later: Surveyed) -> OfferRow:
    """A run as a row: when it was, how it ended, and how many jobs no run that stays names."""
    held = {line.key for line in run.manifest.references}
    only = {item.key for item in later.survey.obsolete if not item.attempt} & held
    clock = time.time()
    record = run.record
    words = ["cannot be read" if record is None else f"began {when(record.started, clock)}"]
    if run.plan is not None and run.plan is not PlanState.COMPLETE:
        words.append(run.plan.value)
    words.append(plural(len(held), "job"))
    if only:
        words.append(f"{len(only):,} of them in no run that stays")
    piece = Piece(PieceKind.RUN, (run.experiment, run.run))
    trouble = _run_trouble(run)
    return OfferRow(
        piece,
        section,
        ", ".join(words),
        run=run,
        refused=trouble,
        ticked=not trouble,
        alike=() if run.plan is None else (run.plan.value,),
    )


def _run_trouble(run: RunView) -> str:
    if run.live:
        return "it goes on"
    if run.problem or run.record is None:
        return plain(run.problem) or "its run.json can't be read"
    return ""


def is_current(run: RunView, group: Iterable[RunView]) -> bool:
    """Whether a run is the newest complete one of its scope, by which the others are judged."""
    complete = [other for other in group if retires(other)]
    return bool(complete) and complete[-1] is run


def in_order(rows: Iterable[OfferRow]) -> list[OfferRow]:
    """The rows by section; inside of one as they came."""
    order = list(Section)
    return sorted(rows, key=lambda row: order.index(row.section))


def _arranged(workspace: WorkspacePaths, seen: Surveyed, rows: Iterable[OfferRow]) -> Offering:
    """The rows in order, with those that can't be moved by what a look at their folders tells."""
    check = FolderCheck(workspace)
    return Offering(seen, tuple(_looked_at(check, row) for row in in_order(rows)))


arranged = _arranged


def _looked_at(check: FolderCheck, row: OfferRow) -> OfferRow:
    key = None if row.refused or row.known is None else row.key
    if key is None:
        return row
    why = check.trouble(key)
    return row if not why else replace(row, refused=why, ticked=False)


def _obsolete_rows(
    seen: Surveyed, found: Iterable[Obsolete], first: Collection[Offer]
) -> list[OfferRow]:
    rows: list[OfferRow] = []
    clock = time.time()
    once: dict[Any, Any] = {}
    for item in found:
        doubt = item.reason is ObsoleteReason.CANNOT_TELL
        # What very many rows say alike is kept once.
        why, alike = (once.setdefault(words, words) for words in told(item, now=clock))
        by = "" if item.replacement is None else item.replacement.run
        live = next((str(need) for need in item.needs if need.live), "")
        rows.append(
            OfferRow(
                offer := offer_of(item),
                _SECTIONS[item.reason],
                why,
                item.row,
                by=once.setdefault(by, by),
                needs=item.needs,
                refused="nobody can tell whether it is needed" if doubt else live,
                ticked=offer in first and not doubt and not live,
                alike=alike,
            )
        )
    return rows


def _in_use(seen: Surveyed, key: JobKey) -> OfferRow:
    record = seen.survey.jobs.get(key) or JobRecord(key, JobState.NOT_SUBMITTED)
    needs = seen.survey.needs(key)
    refused = NOT_OVER.get(record.state, "")
    if not refused:
        refused = next((str(need) for need in needs if need.live), "")
    clock = time.time()
    why = f"{record.state.value} {when(record.ended or record.started, clock)}".rstrip()
    return OfferRow(
        key,
        Section.CHOSEN,
        why,
        record,
        needs=needs,
        refused=refused,
        alike=(record.state.value,),
    )


def _goes_at_first(seen: Surveyed, key: JobKey, leaving: frozenset[JobKey], *, alone: bool) -> bool:
    """Whether a chosen job is ticked: nobody who stays was made from it, and nothing is lost."""
    record = seen.survey.jobs.get(key)
    if record is None or record.state.live or record.state is JobState.UNREADABLE:
        return False
    for need in seen.survey.needs(key):
        if need.kind is not NeedKind.LATEST and need.job not in leaving:
            return False
    return alone or record.state is not JobState.DONE


def _shared_rows(workspace: WorkspacePaths, records: Records) -> list[OfferRow]:
    pieces = sorted(list_shared(workspace))
    if not pieces:
        return []
    users = users_of_shared(workspace, records.sharing())
    return [
        OfferRow(piece, Section.SHARED, "no job lists it")
        for piece in pieces
        if "/".join(piece.names) not in users
    ]
