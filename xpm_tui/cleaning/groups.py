"""What is told of groups of a plan's rows: looked at once, in a thread, however often drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from xpm_engine.verbs.cleaning.fold_words import common_and_other
from xpm_engine.verbs.cleaning.folding import Fold, FoldKey, FoldPart
from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.verbs.cleaning.offers import Section
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.recompute import Cost, Costs
from xpm_tui.store.labels import Labelling, last_part

Sum = tuple[int, bool]
"""Bytes, and whether all of them were measured."""


@dataclass(frozen=True)
class GroupWords:
    """In what the jobs of a group are the same and in what not, of what tells the plan's apart."""

    common: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
    """To compute all of them again."""


def words_of(fold: Fold, labels: Mapping[str, Labelling]) -> GroupWords:
    """``lr=1`` of all jobs of a group, ``seed=1..5`` of some; nothing of the cost."""
    jobs = [row.job for row in fold.rows if row.job is not None]
    names = labels.get(fold.key.subject)
    if not jobs or names is None:
        return GroupWords()
    tags = ((name, [job.tags[name] for job in jobs if name in job.tags]) for name in names.tags)
    params = (
        (last_part(name), [job.params[name] for job in jobs if name in job.params])
        for name in names.params
    )
    common, other = common_and_other((*tags, *params), len(jobs))
    return GroupWords(tuple(common), tuple(other))


def words_of_all(
    parts: Iterable[FoldPart], labels: Mapping[str, Labelling], costs: Costs
) -> dict[FoldKey, GroupWords]:
    """The same of every group, those in groups too, with what they cost and why they go."""
    found: dict[FoldKey, GroupWords] = {}
    for part in parts:
        if isinstance(part, Fold):
            keys = (offer for offer in part.offers if isinstance(offer, JobKey))
            found[part.key] = replace(words_of(part, labels), cost=costs.of(keys))
            _ = part.why
            found |= words_of_all(part.parts, labels, costs)
    return found


def sums_of(
    parts: Iterable[FoldPart], sizes: Mapping[Offer, int]
) -> tuple[dict[FoldKey, Sum], dict[Section, Sum]]:
    """What every group and every section takes."""
    groups: dict[FoldKey, Sum] = {}
    sections: dict[Section, Sum] = {}
    for part in parts:
        size, measured = _sum(part, sizes, groups)
        section = part.key.section if isinstance(part, Fold) else part.section
        before = sections.get(section, (0, True))
        sections[section] = before[0] + size, before[1] and measured
    return groups, sections


def _sum(part: FoldPart, sizes: Mapping[Offer, int], groups: dict[FoldKey, Sum]) -> Sum:
    if not isinstance(part, Fold):
        known = sizes.get(part.offer)
        return known or 0, known is not None
    total, whole = 0, True
    for inner in part.parts:
        size, measured = _sum(inner, sizes, groups)
        total += size
        whole = whole and measured
    groups[part.key] = total, whole
    return total, whole
