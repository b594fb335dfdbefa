"""A plan of removal as the app shows it: rows, sizes as they are measured, ticks; no Textual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from time import monotonic

from xpm_engine.verbs.cleaning.budget import Proposal, propose
from xpm_engine.verbs.cleaning.folding import Fold, FoldKey, FoldPart, fold
from xpm_engine.verbs.cleaning.obsolete import Offer, size_of
from xpm_engine.verbs.cleaning.offers import Offering, OfferRow, Section
from xpm_engine.workspace.cleaning.needs import Need, NeedKind
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.recompute import Cost, Costs
from xpm_tui import look
from xpm_tui.cleaning.groups import GroupWords, Sum, sums_of, words_of, words_of_all
from xpm_tui.cleaning.row_names import RowNames, finder, in_order_of_names, names_of
from xpm_tui.store.labels import Labelling, last_part

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


PlanRow = Heading | Fold | OfferRow

PlanKey = Offer | Section | FoldKey

Sizes = Mapping[Offer, int]

Order = Callable[[FoldPart], tuple[object, ...]]


def row_key(row: PlanRow) -> PlanKey:
    """What a row is found again by."""
    # Asked of very many rows, nearly all of which are offers.
    if isinstance(row, OfferRow):
        return row.offer
    return row.key if isinstance(row, Fold) else row.section


def offers_of(row: PlanRow | None) -> frozenset[Offer]:
    """What is ticked with a row; a title stands for nothing by itself."""
    match row:
        case Fold():
            return row.offers
        case OfferRow():
            return frozenset((row.offer,))
        case _:
            return frozenset()


@dataclass(frozen=True)
class Removal:
    """What is offered, and what is known of its sizes."""

    offering: Offering
    sizes: Sizes = field(default_factory=dict[Offer, int])
    titles: Mapping[Offer, str] = field(default_factory=dict[Offer, str])
    parts: tuple[FoldPart, ...] = ()
    """The rows, those that are alike as one."""
    labels: Mapping[str, Labelling] = field(default_factory=dict[str, Labelling])
    """How the jobs of each task are told apart in this plan."""
    words: Mapping[FoldKey, GroupWords] = field(default_factory=dict[FoldKey, GroupWords])
    """What is told of each group besides its task."""
    needs: Mapping[Offer, str] = field(default_factory=dict[Offer, str])
    """Who needs each row that somebody needs, in words."""
    costs: Costs | None = field(default=None, compare=False)
    """What was found of what it takes to compute jobs again."""

    @property
    def rows(self) -> tuple[OfferRow, ...]:
        return self.offering.rows

    @property
    def measured(self) -> bool:
        """Whether every size is known."""
        return len(self.sizes) >= len(self.rows)

    @cached_property
    def size(self) -> int:
        """Bytes of all rows, as far as they were measured."""
        return sum(self.sizes.values())

    @cached_property
    def sums(self) -> tuple[Mapping[FoldKey, Sum], Mapping[Section, Sum]]:
        """What every group and every section takes."""
        return sums_of(self.parts, self.sizes)

    def size_of_part(self, part: FoldPart) -> Sum:
        """Bytes of a row or a group, and whether all of it was measured."""
        return self.sums[0][part.key] if isinstance(part, Fold) else self.size_of((part.offer,))

    def words_of(self, group: Fold) -> GroupWords:
        """In what the jobs of a group are the same, and in what not."""
        return self.words.get(group.key) or words_of(group, RowNames(dict(self.labels)))

    def size_of(self, offers: Iterable[Offer]) -> tuple[int, bool]:
        """Bytes of these rows, and whether all of them were measured."""
        known = list(map(self.sizes.get, offers))
        return sum(filter(None, known)), None not in known

    def ready(self) -> frozenset[Offer]:
        """What can be ticked."""
        return self.offering.ready

    def listed(
        self,
        order: Order | None,
        *,
        folded: Callable[[PlanKey], bool],
    ) -> list[tuple[PlanRow, FoldKey | None]]:
        """The rows below their headings, inside each section sorted by `order`, as they are shown.

        Each with the group that it is in. What is in a `folded` group or section is left out.
        """
        found: list[tuple[PlanRow, FoldKey | None]] = []
        for section, group in groupby(self.parts, key=_section_of):
            parts = list(group)
            count = sum(len(rows_of(part)) for part in parts)
            found.append((Heading(section, count, *self.sums[1][section]), None))
            if not folded(section):
                found += _unfolded(parts, order, folded, None)
        return found

    def found(self, order: Order | None, wanted: Callable[[OfferRow], bool]) -> list[OfferRow]:
        """The rows that are wanted, without headings and groups; sorted as `listed` does."""
        found: list[OfferRow] = []
        for _, group in groupby(self.parts, key=_section_of):
            rows = [row for part in group for row in rows_of(part) if wanted(row)]
            found += rows if order is None else sorted(rows, key=order)
        return found

    def finder(self, text: str) -> Callable[[OfferRow], bool] | None:
        """Whether a row has every word of `text` in its name, its reason or who needs it.

        None where there is no word.
        """
        words = text.casefold().split()
        return finder(self.titles, self.needs, words) if words else None

    def cost_of_part(self, part: FoldPart) -> Cost:
        """What it takes to compute a row, or all rows of a group together, again."""
        known = self.words.get(part.key) if isinstance(part, Fold) else None
        return self.cost(offers_of(part)) if known is None else known.cost

    def cost(self, offers: Iterable[Offer]) -> Cost:
        """What it takes to compute these again, together."""
        keys = [offer for offer in offers if isinstance(offer, JobKey)]
        costs = self.costs or Costs(self.offering.seen.survey)
        return costs.of(keys)

    def propose(self, wanted: int) -> Proposal:
        """What to tick to free so much at the least cost."""
        return propose(self.offering, self.sizes, wanted)


def rows_of(part: FoldPart) -> tuple[OfferRow, ...]:
    """The rows that a part stands for."""
    return part.rows if isinstance(part, Fold) else (part,)


def removal_of(offering: Offering, sizes: Sizes | None = None) -> Removal:
    """An offering with its rows' names, and the sizes that are known already."""
    offers = {row.offer for row in offering.rows}
    known = {offer: size for offer, size in (sizes or {}).items() if offer in offers}
    names = names_of(offering.rows)
    parts = fold(in_order_of_names(offering.rows, names.titles))
    costs = Costs(offering.seen.survey)
    costs.of(offer for offer in offers if isinstance(offer, JobKey))
    words = words_of_all(parts, names, costs)
    needs = _needs_of(offering.rows)
    return prepared(
        Removal(offering, known, names.titles, parts, names.labels, words, needs, costs)
    )


def _needs_of(rows: Iterable[OfferRow]) -> dict[Offer, str]:
    """Who needs each row that somebody needs; the same words are kept once."""
    once: dict[str, str] = {}
    found: dict[Offer, str] = {}
    for row in rows:
        if row.needs:
            words = need_words((row,), frozenset())
            found[row.offer] = once.setdefault(words, words)
    return found


def prepared(removal: Removal) -> Removal:
    """The same, with what is asked of it at every key worked out already: for a thread."""
    _ = removal.size, removal.sums, removal.offering.ready
    return removal


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
            tell(prepared(replace(removal, sizes=dict(sizes))))
    tell(prepared(replace(removal, sizes=sizes)))


def refused_words(part: FoldPart) -> str:
    """Why a row, or each of a group, can't be ticked; empty if it can."""
    return part.key.refused if isinstance(part, Fold) else part.refused


def is_needed(part: FoldPart) -> bool:
    """Whether somebody needs a row, or each of a group."""
    return part.key.needed if isinstance(part, Fold) else bool(part.needs)


def need_words(rows: Iterable[OfferRow], ticked: frozenset[Offer]) -> str:
    """Who needs these rows and would stay, as only the ticked ones go; empty for nobody."""
    needs = (need for row in rows for need in row.needs)
    staying = (need for need in needs if need.job is None or need.job not in ticked)
    names = list(dict.fromkeys(map(_need_name, staying)))
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return look.plain(", ".join(names[:MOST_NAMED]) + more)


def _need_name(need: Need) -> str:
    """A job, an experiment however many of its runs need it, or another need by its name."""
    if need.job is not None:
        return f"{last_part(need.job.task)} {need.job.short}"
    if need.kind in (NeedKind.LATEST, NeedKind.RUN):
        return need.name.partition("/")[0]
    return "a pin" if need.kind is NeedKind.PIN else need.name


def left_behind(rows: Iterable[OfferRow], ticked: frozenset[Offer]) -> frozenset[JobKey]:
    """The jobs that stay and could not run again without these rows."""
    needs = (need for row in rows for need in row.needs)
    jobs = (need.job for need in needs if need.kind in (NeedKind.JOB, NeedKind.ALIAS))
    return frozenset(key for key in jobs if key is not None and key not in ticked)


def cost_words(cost: Cost, *, short: bool = False) -> str:
    """``14 min``, ``nothing is lost``, ``2 h and 3 unknown``."""
    if cost.nothing:
        return "–" if short else "nothing is lost"
    if not cost.seconds:
        return "?" if short else "unknown"
    words = look.duration(cost.seconds)
    if short and " h " in words:
        words = words.removesuffix(" min")
    return f"≥ {words}" if cost.unknown else words


def _unfolded(
    parts: Iterable[FoldPart],
    order: Order | None,
    folded: Callable[[PlanKey], bool],
    inside: FoldKey | None,
) -> Iterator[tuple[PlanRow, FoldKey | None]]:
    """These parts, each followed by what is in it where that is shown."""
    for part in parts if order is None else sorted(parts, key=order):
        yield part, inside
        if isinstance(part, Fold) and not folded(part.key):
            yield from _unfolded(part.parts, order, folded, part.key)


def _section_of(part: FoldPart) -> Section:
    return part.key.section if isinstance(part, Fold) else part.section
