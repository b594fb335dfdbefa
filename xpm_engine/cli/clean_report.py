"""What `xpm clean` shows before it asks: the plan, with reasons, sizes and who needs what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import click

from xpm_engine.verbs.cleaning import obsolete
from xpm_engine.verbs.cleaning.budget import propose
from xpm_engine.verbs.cleaning.clean import Need, RemovalPlan, RemovalRow, measure, things_words
from xpm_engine.verbs.cleaning.fold_words import common_and_other
from xpm_engine.verbs.cleaning.folding import Fold, fold
from xpm_engine.verbs.cleaning.obsolete import Offer, Surveyed
from xpm_engine.verbs.cleaning.offers import Offering, OfferRow, Section
from xpm_engine.words import duration, plain, plural, size
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.recompute import Cost, cost_again
from xpm_engine.workspace.scan import JobRecord

MOST_NAMES = 3
"""Who needs a job: these are named, the others are counted."""


class Report(Protocol):
    """A plan, and how it is shown."""

    @property
    def plan(self) -> RemovalPlan: ...
    @property
    def count(self) -> str: ...
    def show(self) -> None: ...
    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class JobsReport:
    """Jobs that were named, or that a filter selected."""

    plan: RemovalPlan
    unticked: tuple[tuple[JobRecord, tuple[Need, ...]], ...] = ()
    """What a filter selected and somebody needs, or may need."""

    @property
    def count(self) -> str:
        return plural(len(self.plan.ready), "job")

    def show(self) -> None:
        plan = self.plan
        for row in plan.rows:
            bytes_ = "" if row.size is None else size(row.size)
            parts = (_name(row.key), row.job.state.value, _tags(row.job), bytes_)
            sign = "-" if row.refused else "x"
            click.echo(f"  [{sign}] " + "  ".join(filter(None, parts)))
            if row.refused:
                click.echo(f"      stays: {plain(row.refused)}")
            needed = [need for need in plan.needed_by(row) if not need.live]
            if needed:
                click.echo(f"      needed by {_who(needed)}")
        for job, needs in self.unticked:
            named = (_name(job.key), job.state.value, _tags(job))
            click.echo("  [ ] " + "  ".join(filter(None, named)))
            if job.state.live:
                click.echo(f"      stays: it is {job.state.value}")
            else:
                click.echo(f"      needed by {_who(needs)}" if needs else "      nobody can tell")
        for doubt in plan.doubts:
            click.echo(f"  ? can't be read, and may need one of them: {plain(doubt)}")
        total = "" if plan.size is None else f", {size(plan.size)}"
        rows = len(plan.rows) + len(self.unticked)
        if not rows:
            click.echo("no job is selected")
            return
        click.echo(f"{plural(len(plan.ready), 'job')} of {rows} to the trash{total}")
        if not all(job.state.live for job, _ in self.unticked):
            click.echo("--needed moves those too that somebody needs")

    def to_json(self) -> dict[str, Any]:
        rows = [_row_json(self.plan, row) for row in self.plan.rows]
        unticked = [
            {**_job_json(job), "needed_by": [need.name for need in needs]}
            for job, needs in self.unticked
        ]
        return {"plan": rows, "unticked": unticked} if unticked else {"plan": rows}


@dataclass(frozen=True)
class OffersReport:
    """Rows under their titles, with what of them is ticked."""

    plan: RemovalPlan
    offering: Offering
    ticked: frozenset[Offer]
    sizes: Mapping[Offer, int]
    hint: str = ""
    """What would tick more."""
    each: bool = False
    """Whether each row is shown, also of those that are alike."""
    none: str = "nothing is obsolete"
    """What is said where there is no row."""

    @property
    def count(self) -> str:
        return things_words(len(self.plan.ready), self.plan.pieces) or "nothing"

    def show(self) -> None:
        rows = self.offering.rows
        for section, group in groupby(rows, key=lambda row: row.section):
            items = list(group)
            total = size(sum(self.sizes[row.offer] for row in items))
            click.echo(f"{section.value}  {len(items):,} · {total}")
            for part in items if self.each else fold(items):
                if isinstance(part, Fold):
                    self._show_fold(part)
                else:
                    self._show_row(part)
        if not rows:
            click.echo(self.none)
            return
        bytes_ = "" if self.plan.size is None else f", {size(self.plan.size)}"
        ready = len(self.plan.ready) + len(self.plan.pieces)
        click.echo(f"{ready:,} of {len(rows):,} to the trash{bytes_}")
        if self.hint and any(row.free and row.offer not in self.ticked for row in rows):
            click.echo(self.hint)
        if not self.each and any(isinstance(part, Fold) for part in fold(rows)):
            click.echo("--each shows the rows of each group")

    def _show_fold(self, group: Fold) -> None:
        stays = {row.refused or self._refused.get(row.offer, "") for row in group.rows}
        ticked = len(group.offers & self.ticked)
        sign = "x" if ticked == len(group.offers) else "~" if ticked else " "
        sign = sign if "" in stays else "-"
        bytes_ = size(sum(self.sizes[offer] for offer in group.offers))
        keys = [offer for offer in group.offers if isinstance(offer, JobKey)]
        cost = _cost_words(cost_again(self.offering.seen.survey, keys)) if keys else ""
        click.echo(f"  [{sign}] " + "  ".join(filter(None, (group_title(group), bytes_, cost))))
        click.echo(f"      {plain(group.why)}")
        needs = tuple(dict.fromkeys(need for row in group.rows for need in row.needs))
        if needs:
            click.echo(f"      needed by {_who(needs)}")
        if "" not in stays and group.key.section is not Section.CANNOT_TELL:
            click.echo(f"      stay: {plain(next(iter(stays)))}")

    def _show_row(self, row: OfferRow) -> None:
        stays = row.refused or self._refused.get(row.offer, "")
        sign = "-" if stays else "x" if row.offer in self.ticked else " "
        job = isinstance(row.offer, JobKey)
        cost = _cost_words(self.offering.cost(row)) if job or row.run is None else ""
        parts = (title_of(row), size(self.sizes[row.offer]), cost)
        click.echo(f"  [{sign}] " + "  ".join(filter(None, parts)))
        click.echo(f"      {row.why}" + (f"  [{plain(row.by)}]" if row.by else ""))
        if row.needs:
            click.echo(f"      needed by {_who(row.needs)}")
        if stays and row.section is not Section.CANNOT_TELL:
            click.echo(f"      stays: {plain(stays)}")

    @property
    def _refused(self) -> dict[Offer, str]:
        return {row.key: row.refused for row in self.plan.rows if row.refused}

    def to_json(self) -> dict[str, Any]:
        rows = [self._row_json(row) for row in self.offering.rows]
        return {"obsolete": rows, "cannot_read": list(self.offering.seen.survey.blockers)}

    def _row_json(self, row: OfferRow) -> dict[str, Any]:
        piece = None if isinstance(row.offer, JobKey) else row.offer
        return {
            **({} if row.job is None else _job_json(row.job)),
            "reason": row.section.name.lower().replace("_", " "),
            "attempt": (piece.attempt or None) if piece is not None else None,
            "piece": None if piece is None else piece.words,
            "why": row.why,
            "run": row.by or None,
            "needed_by": [need.name for need in row.needs],
            "stays": row.refused or None,
            "ticked": row.offer in self.ticked,
            "bytes": self.sizes[row.offer],
            "seconds_again": self.offering.cost(row).seconds,
        }


def title_of(row: OfferRow) -> str:
    """``ir.learn/13377a  lr=0.1  leftovers of attempt 2``, ``run drmm/20261123-…``"""
    piece = None if isinstance(row.offer, JobKey) else row.offer
    if row.job is None:
        return "" if piece is None else plain(piece.words)
    words = [_name(row.job.key), _tags(row.job), "" if piece is None else plain(piece.words)]
    return "  ".join(filter(None, words))


def group_title(group: Fold) -> str:
    """``ir.learn  lr=1 seed=1..5  (5 jobs)``: what its jobs have in common, and what not."""
    jobs = [row.job for row in group.rows if row.job is not None]
    names = dict.fromkeys(name for job in jobs for name in job.tags)
    named = ((name, [job.tags[name] for job in jobs if name in job.tags]) for name in names)
    common, other = common_and_other(named, len(jobs))
    words = " ".join((*common, *other))
    return "  ".join(filter(None, (plain(group.key.subject), words, f"({group.count})")))


def of_offering(
    workspace: WorkspacePaths,
    offering: Offering,
    *,
    hint: str = "",
    free: int | None = None,
    each: bool = False,
    none: str = OffersReport.none,
) -> OffersReport:
    """A report of what is ticked at first, or, with `free`, of what frees that much cheapest."""
    sizes = obsolete.measure_offered(workspace, (row.offer for row in offering.rows))
    chosen = offering.ticked if free is None else propose(offering, sizes, free).offers
    order = [row.offer for row in offering.rows if row.offer in chosen]
    plan = obsolete.plan_clean(workspace, offering.seen, order, sizes=sizes)
    return OffersReport(plan, offering, frozenset(order), sizes, hint, each, none)


def of_filter(
    workspace: WorkspacePaths, seen: Surveyed, keys: Sequence[JobKey], *, needed: bool
) -> JobsReport:
    """These jobs, but for those that somebody needs, unless `needed` says so."""
    found = seen.survey
    free = frozenset(keys) if needed else obsolete.unneeded(found, keys)
    plan = obsolete.plan_keys(workspace, seen, [key for key in keys if key in free])
    unticked = tuple((found.jobs[key], found.needs(key)) for key in keys if key not in free)
    return JobsReport(measure(workspace, plan), unticked)


def _name(key: JobKey) -> str:
    return f"{key.task}/{key.short}"


def _tags(job: JobRecord) -> str:
    return " ".join(f"{plain(name)}={plain(value)}" for name, value in job.tags.items())


def _who(needs: Sequence[Need]) -> str:
    """``ir.learn/13377a, run drmm/20261123-… and 4 more``"""
    names = [
        plain(need.name) if need.job is None else _name(need.job) for need in needs[:MOST_NAMES]
    ]
    more = f" and {len(needs) - MOST_NAMES} more" if len(needs) > MOST_NAMES else ""
    return ", ".join(names) + more


def _cost_words(cost: Cost) -> str:
    if cost.nothing:
        return "nothing is lost"
    if not cost.seconds:
        return "nobody knows how long it takes again"
    known = duration(cost.seconds)
    if cost.unknown:
        return f"{known} again, and {plural(cost.unknown, 'job')} of unknown length"
    return f"{known} again"


def _job_json(job: JobRecord) -> dict[str, Any]:
    return {
        "task": job.key.task,
        "id": job.key.identifier,
        "state": job.state.value,
        "tags": dict(job.tags),
    }


def _row_json(plan: RemovalPlan, row: RemovalRow) -> dict[str, Any]:
    return {
        **_job_json(row.job),
        "bytes": row.size,
        "needed_by": [need.name for need in plan.needed_by(row)],
        "stays": row.refused or None,
    }
