"""What `xpm clean` shows before it asks: the plan, with reasons, sizes and who needs what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import click

from xpm_engine.verbs import obsolete
from xpm_engine.verbs.clean import Need, RemovalPlan, RemovalRow, measure
from xpm_engine.verbs.obsolete import Offer, Surveyed
from xpm_engine.verbs.words import duration, plain, plural, size
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.obsolete import Obsolete, ObsoleteReason
from xpm_engine.workspace.recompute import Cost, cost_again
from xpm_engine.workspace.scan import JobRecord

MOST_NAMES = 3
"""Who needs a job: these are named, the others are counted."""

TITLES = {
    ObsoleteReason.LEFTOVERS: "Leftovers of dead attempts",
    ObsoleteReason.FAILED: "Failed, not in the last run",
    ObsoleteReason.REPLACED: "Replaced by a complete run",
    ObsoleteReason.IN_NO_RUN: "In no run",
    ObsoleteReason.CANNOT_TELL: "Cannot tell, left alone",
}


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
            click.echo(f"      needed by {_who(needs)}" if needs else "      nobody can tell")
        for doubt in plan.doubts:
            click.echo(f"  ? can't be read, and may need one of them: {plain(doubt)}")
        total = "" if plan.size is None else f", {size(plan.size)}"
        rows = len(plan.rows) + len(self.unticked)
        click.echo(f"{plural(len(plan.ready), 'job')} of {rows} to the trash{total}")
        if self.unticked:
            click.echo("--needed moves those too that somebody needs")

    def to_json(self) -> dict[str, Any]:
        rows = [_row_json(self.plan, row) for row in self.plan.rows]
        unticked = [
            {**_job_json(job), "needed_by": [need.name for need in needs]}
            for job, needs in self.unticked
        ]
        return {"plan": rows, "unticked": unticked} if unticked else {"plan": rows}


@dataclass(frozen=True)
class ObsoleteReport:
    """All that is obsolete, with what of it is ticked."""

    plan: RemovalPlan
    seen: Surveyed
    ticked: frozenset[Offer]
    sizes: Mapping[Offer, int]

    @property
    def count(self) -> str:
        jobs, attempts = len(self.plan.ready), len(self.plan.leftovers)
        parts = [plural(jobs, "job")] if jobs else []
        if attempts:
            parts.append(f"the leftovers of {plural(attempts, 'attempt')}")
        return " and ".join(parts) or "nothing"

    def show(self) -> None:
        found = self.seen.survey.obsolete
        for reason, group in groupby(found, key=lambda item: item.reason):
            items = list(group)
            total = size(sum(self.sizes[item.key, item.attempt] for item in items))
            click.echo(f"{TITLES[reason]}  {len(items):,} · {total}")
            for item in items:
                self._show_item(item)
        bytes_ = "" if self.plan.size is None else f", {size(self.plan.size)}"
        ready = len(self.plan.ready) + len(self.plan.leftovers)
        click.echo(f"{ready:,} of {len(found):,} to the trash{bytes_}")
        if any(item.free and (item.key, item.attempt) not in self.ticked for item in found):
            click.echo("--all-obsolete moves the finished ones too that nobody needs")

    def _show_item(self, item: Obsolete) -> None:
        refused = {row.key: row.refused for row in self.plan.rows if row.refused}
        stays = refused.get(item.key, "") if not item.attempt else ""
        sign = "x" if (item.key, item.attempt) in self.ticked else " "
        if stays or item.reason is ObsoleteReason.CANNOT_TELL:
            sign = "-"
        attempt = f"attempt {item.attempt}" if item.attempt else ""
        parts = (
            f"{item.key.task}/{item.key.short}",
            _tags(item.job),
            attempt,
            size(self.sizes[item.key, item.attempt]),
            _cost_words(self._cost(item)),
        )
        click.echo(f"  [{sign}] " + "  ".join(filter(None, parts)))
        click.echo(f"      {obsolete.why_offered(item)}")
        if item.needs:
            click.echo(f"      needed by {_who(item.needs)}")
        if stays:
            click.echo(f"      stays: {plain(stays)}")

    def _cost(self, item: Obsolete) -> Cost:
        return Cost() if item.attempt else cost_again(self.seen.survey, [item.key])

    def to_json(self) -> dict[str, Any]:
        rows = [
            {
                **_job_json(item.job),
                "reason": item.reason.value,
                "attempt": item.attempt or None,
                "why": obsolete.why_offered(item),
                "run": None if item.replacement is None else item.replacement.run,
                "needed_by": [need.name for need in item.needs],
                "ticked": (item.key, item.attempt) in self.ticked,
                "bytes": self.sizes[item.key, item.attempt],
                "seconds_again": self._cost(item).seconds,
            }
            for item in self.seen.survey.obsolete
        ]
        blockers = list(self.seen.survey.blockers)
        return {"obsolete": rows, "cannot_read": blockers}


def of_obsolete(workspace: WorkspacePaths, seen: Surveyed, *, finished: bool) -> ObsoleteReport:
    """What is obsolete, with leftovers and failed jobs ticked, and the rest with `finished`."""
    sizes = obsolete.measure_offered(workspace, seen.survey.obsolete)
    chosen = obsolete.ticked(seen.survey, finished=finished)
    plan = obsolete.plan_clean(workspace, seen, chosen, sizes=sizes)
    return ObsoleteReport(plan, seen, frozenset((x.key, x.attempt) for x in chosen), sizes)


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
