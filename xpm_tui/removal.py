"""A plan of removal as the app shows it: rows, sizes as they are measured, ticks; no Textual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from time import monotonic

from xpm_engine.verbs.budget import Proposal, propose
from xpm_engine.verbs.obsolete import Offer, size_of
from xpm_engine.verbs.offers import Offering, OfferRow, Section
from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.recompute import Cost, cost_again
from xpm_tui import look
from xpm_tui.store.labels import labelling, last_part

TELL_EVERY = 0.5
"""Seconds between two reports of sizes that were measured."""

MOST_NAMED = 3
"""Of those who need a row so many are named, the others are counted."""


@dataclass(frozen=True)
class Heading:
    """The title of a section, as a row."""

    section: Section
    count: int
    size: int
    measured: bool


PlanRow = Heading | OfferRow

Sizes = Mapping[Offer, int]


def row_key(row: PlanRow) -> Offer | Section:
    """What a row is found again by."""
    return row.section if isinstance(row, Heading) else row.offer


@dataclass(frozen=True)
class Removal:
    """What is offered, and what is known of its sizes."""

    offering: Offering
    sizes: Sizes = field(default_factory=dict[Offer, int])
    titles: Mapping[Offer, str] = field(default_factory=dict[Offer, str])

    @property
    def rows(self) -> tuple[OfferRow, ...]:
        return self.offering.rows

    @property
    def measured(self) -> bool:
        """Whether every size is known."""
        return len(self.sizes) >= len(self.rows)

    @property
    def size(self) -> int:
        """Bytes of all rows, as far as they were measured."""
        return sum(self.sizes.values())

    def size_of(self, offers: Iterable[Offer]) -> tuple[int, bool]:
        """Bytes of these rows, and whether all of them were measured."""
        known = [self.sizes.get(offer) for offer in offers]
        return sum(size for size in known if size is not None), None not in known

    def ready(self) -> frozenset[Offer]:
        """What can be ticked."""
        return frozenset(row.offer for row in self.rows if not row.refused)

    def sections(self, order: Callable[[OfferRow], tuple[object, ...]] | None) -> list[PlanRow]:
        """The rows below their headings, inside each section sorted by `order`."""
        found: list[PlanRow] = []
        for section, group in groupby(self.rows, key=lambda row: row.section):
            rows = list(group)
            if order is not None:
                rows.sort(key=order)
            size, measured = self.size_of(row.offer for row in rows)
            found.append(Heading(section, len(rows), size, measured))
            found += rows
        return found

    def cost(self, offers: Iterable[Offer]) -> Cost:
        """What it takes to compute these again, together."""
        keys = [offer for offer in offers if isinstance(offer, JobKey)]
        return cost_again(self.offering.seen.survey, keys)

    def propose(self, wanted: int) -> Proposal:
        """What to tick to free so much at the least cost."""
        return propose(self.offering, self.sizes, wanted)


def removal_of(offering: Offering, sizes: Sizes | None = None) -> Removal:
    """An offering with its rows' names, and the sizes that are known already."""
    offers = {row.offer for row in offering.rows}
    known = {offer: size for offer, size in (sizes or {}).items() if offer in offers}
    return Removal(offering, known, _titles(offering.rows))


def measure(
    workspace: WorkspacePaths,
    removal: Removal,
    tell: Callable[[Removal], object],
    *,
    stopped: Callable[[], bool],
) -> None:
    """Measure what has no size yet, and tell how far that is; the slow part, for a thread.

    A file with several hard links counts once. The last thing told has all sizes, unless it was
    stopped.
    """
    seen: set[tuple[int, int]] = set()
    sizes = dict(removal.sizes)
    told = monotonic()
    for row in removal.rows:
        if stopped():
            return
        if row.offer not in sizes:
            sizes[row.offer] = size_of(workspace, row.offer, seen)
        if monotonic() - told > TELL_EVERY:
            told = monotonic()
            tell(replace(removal, sizes=dict(sizes)))
    tell(replace(removal, sizes=sizes))


def need_words(row: OfferRow, ticked: frozenset[Offer]) -> str:
    """Who needs this row and would stay, as only the ticked ones go; empty for nobody."""
    needs = [need for need in row.needs if need.job is None or need.job not in ticked]
    if not needs:
        return ""
    names = list(dict.fromkeys(map(_need_name, needs)))
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return look.plain(", ".join(names[:MOST_NAMED]) + more)


def _need_name(need: Need) -> str:
    """A job, an experiment however many of its runs need it, or another need by its name."""
    if need.job is not None:
        return f"{last_part(need.job.task)} {need.job.short}"
    if need.kind in (NeedKind.LATEST, NeedKind.RUN):
        return need.name.partition("/")[0]
    return "a pin" if need.kind is NeedKind.PIN else need.name


def left_behind(row: OfferRow, ticked: frozenset[Offer]) -> frozenset[JobKey]:
    """The jobs that stay and could not run again without this row."""
    jobs = (need.job for need in row.needs if need.kind in (NeedKind.JOB, NeedKind.ALIAS))
    return frozenset(key for key in jobs if key is not None and key not in ticked)


def cost_words(cost: Cost, *, short: bool = False) -> str:
    """``14 min``, ``nothing is lost``, ``2 h and 3 unknown``."""
    if cost.nothing:
        return "–" if short else "nothing is lost"
    if not cost.unknown:
        return look.duration(cost.seconds)
    if not cost.seconds:
        return "?" if short else "unknown"
    return f"≥ {look.duration(cost.seconds)}"


def _titles(rows: Iterable[OfferRow]) -> dict[Offer, str]:
    """What each row is called: its task, and what tells it from its siblings in the plan."""
    by_task: dict[str, list[OfferRow]] = {}
    titles: dict[Offer, str] = {}
    for row in rows:
        if row.job is not None:
            by_task.setdefault(row.job.key.task, []).append(row)
        elif not isinstance(row.offer, JobKey):
            titles[row.offer] = look.plain(row.offer.words)
    for task, found in by_task.items():
        jobs = {row.job.key: row.job for row in found if row.job is not None}
        names = labelling(list(jobs.values()))
        for row in found:
            if row.job is None:
                continue
            label = names.label(row.job.key, row.job.tags, row.job.params)
            piece = "" if isinstance(row.offer, JobKey) else f" {_piece_words(row)}"
            titles[row.offer] = look.plain(f"{last_part(task)} {label}{piece}")
    return titles


def _piece_words(row: OfferRow) -> str:
    piece = row.offer
    assert not isinstance(piece, JobKey)
    return f"att. {piece.attempt}" if piece.attempt else piece.names[-1]
