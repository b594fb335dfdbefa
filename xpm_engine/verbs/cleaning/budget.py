"""Freeing so many bytes as cheaply as possible: which obsolete rows cost least to compute again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.verbs.cleaning.offers import Offering, Section
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.recompute import Cost, Costs

UNKNOWN = 3600.0
"""Seconds that a job of unknown length counts for."""

_NEVER = (Section.CANNOT_TELL, Section.CHOSEN)


@dataclass(frozen=True)
class Proposal:
    """What to tick."""

    offers: frozenset[Offer]
    size: int
    """Bytes that this frees."""
    cost: Cost
    """What it takes to compute all of it again."""
    enough: bool
    """Whether that is as much as was asked for."""


@dataclass(frozen=True)
class _Bundle:
    """Rows that go together: a job, and what of the plan was made from it."""

    rows: frozenset[Offer]
    size: int
    seconds: float


def propose(offering: Offering, sizes: Mapping[Offer, int], wanted: int) -> Proposal:
    """The rows to tick that free `wanted` bytes at the least time to compute them again.

    Only what nobody needs is taken, and never a job without those of the plan that were made from
    it. Among rows that stand for themselves the time is at most twice the least possible. Where
    all of it is not enough, all of it is proposed.
    """
    free = {row.offer for row in offering.rows if row.free and row.section not in _NEVER}
    costs = Costs(offering.seen.survey)
    seconds = {offer: _seconds(costs, offer) for offer in free}
    chosen: set[Offer] = set()
    size, spent = 0, 0.0
    best: tuple[float, frozenset[Offer]] | None = None
    for bundle in sorted(_bundles(offering, free, sizes, seconds), key=_rate):
        if bundle.size >= wanted and (best is None or bundle.seconds < best[0]):
            best = bundle.seconds, bundle.rows
        new = bundle.rows - chosen
        more = sum(sizes.get(offer, 0) for offer in new)
        dearer = sum(seconds[offer] for offer in new)
        if size + more < wanted:
            chosen |= new
            size, spent = size + more, spent + dearer
        elif best is None or spent + dearer < best[0]:
            best = spent + dearer, frozenset(chosen | new)
    offers = frozenset(chosen)
    if best is not None:
        offers = _lean(offering, best[1], sizes, seconds, wanted)
    keys = [offer for offer in offers if isinstance(offer, JobKey)]
    size = sum(sizes.get(offer, 0) for offer in offers)
    return Proposal(offers, size, costs.of(keys), size >= wanted)


def _bundles(
    offering: Offering,
    free: Collection[Offer],
    sizes: Mapping[Offer, int],
    seconds: Mapping[Offer, float],
) -> list[_Bundle]:
    survey = offering.seen.survey
    downstream: dict[Offer, list[JobKey]] = {}
    for key in survey.jobs:
        for upstream in survey.dependencies(key):
            if upstream in free:
                downstream.setdefault(upstream, []).append(key)
    found: list[_Bundle] = []
    for offer in free:
        rows: set[Offer] = {offer}
        pending = [offer]
        while pending:
            for key in downstream.get(pending.pop(), ()):
                if key not in rows:
                    rows.add(key)
                    pending.append(key)
        if all(row in free for row in rows):
            size = sum(sizes.get(row, 0) for row in rows)
            found.append(_Bundle(frozenset(rows), size, sum(seconds[row] for row in rows)))
    return [bundle for bundle in found if bundle.size]


def _lean(
    offering: Offering,
    rows: frozenset[Offer],
    sizes: Mapping[Offer, int],
    seconds: Mapping[Offer, float],
    wanted: int,
) -> frozenset[Offer]:
    """Without what is not needed to free that much, the dearest first."""
    survey = offering.seen.survey
    left, size = set(rows), sum(sizes.get(row, 0) for row in rows)
    for row in sorted(rows, key=seconds.__getitem__, reverse=True):
        spare = size - sizes.get(row, 0) >= wanted
        if spare and not (isinstance(row, JobKey) and survey.dependencies(row) & left):
            left.discard(row)
            size -= sizes.get(row, 0)
    return frozenset(left)


def _rate(bundle: _Bundle) -> tuple[float, int]:
    """Seconds a byte; of what costs nothing the largest first."""
    return bundle.seconds / bundle.size, -bundle.size


def _seconds(costs: Costs, offer: Offer) -> float:
    if not isinstance(offer, JobKey):
        return 0.0
    cost = costs.of([offer])
    return cost.seconds + UNKNOWN * cost.unknown
