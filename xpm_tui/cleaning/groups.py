"""What is told of groups of a plan's rows: looked at once, in a thread, however often drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from xpm_engine.verbs.cleaning.fold_words import common_and_other
from xpm_engine.verbs.cleaning.folding import Fold, FoldKey, FoldPart
from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.verbs.cleaning.offers import Section
from xpm_engine.workspace.index import JobRow, named_in
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.recompute import Cost, Costs
from xpm_tui.cleaning.row_names import ABSENT, RowNames, label_values
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


def words_of(fold: Fold, names: RowNames) -> GroupWords:
    """``lr=1`` of all jobs of a group, ``seed=1..5`` of some; nothing of the cost."""
    label = names.labels.get(fold.key.subject)
    if label is None:
        return GroupWords()
    jobs = [_values(row.key, row.known, label, names) for row in fold.rows if row.key is not None]
    spelled = (*label.tags, *map(last_part, label.params))
    named = (
        (name, [job[place] for job in jobs if job[place] is not ABSENT])
        for place, name in enumerate(spelled)
    )
    common, other = common_and_other(named, len(jobs))
    return GroupWords(tuple(common), tuple(other))


def _values(
    key: JobKey, known: JobRow | None, label: Labelling, names: RowNames
) -> tuple[object, ...]:
    found = names.values.get(key)
    if found is None and known is not None:
        found = label_values(label, *named_in(known))
    return label_values(label, {}, {}) if found is None else found


def words_of_all(
    parts: Iterable[FoldPart], names: RowNames, costs: Costs
) -> dict[FoldKey, GroupWords]:
    """The same of every group, those in groups too, with what they cost and why they go."""
    found: dict[FoldKey, GroupWords] = {}
    for part in parts:
        if isinstance(part, Fold):
            keys = (row.offer for row in part.rows if isinstance(row.offer, JobKey))
            found[part.key] = replace(words_of(part, names), cost=costs.of(keys))
            _ = part.why
            found |= words_of_all(part.parts, names, costs)
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
