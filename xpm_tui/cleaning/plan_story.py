"""What is told of a row of a plan besides its columns: in two lines below, or all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from xpm_engine.verbs.cleaning.folding import Fold, FoldPart
from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.verbs.cleaning.offers import OfferRow
from xpm_engine.workspace.recompute import Cost
from xpm_tui import look
from xpm_tui.cleaning.removal import (
    Removal,
    cost_words,
    is_needed,
    left_behind,
    need_words,
    offers_of,
    refused_words,
    rows_of,
)
from xpm_tui.store.labels import last_part

MOST_ROWS = 20
"""Rows of a group that are named one by one."""


def whole_story(row: OfferRow, removal: Removal) -> list[str]:
    """Everything that is known of a row: why, who needs it, its size, what it takes to get back."""
    size = removal.sizes.get(row.offer)
    lines = [f"{row.section.value}: {row.why}"]
    if row.by:
        lines.append(f"That run is {row.by}.")
    if row.refused:
        lines.append(f"It stays: {row.refused}")
    lines.append("" if size is None else f"It takes {look.size(size)}.")
    lines.append(f"To compute it again: {cost_words(removal.offering.cost(row))}.")
    if not row.needs:
        lines.append("Nobody needs it.")
    return [line for line in (*lines, *(f"Needed: {need}." for need in row.needs)) if line]


def group_story(group: Fold, removal: Removal) -> list[str]:
    """What is known of rows that are alike, and each of the first of them."""
    size, measured = removal.size_of_part(group)
    lines = [f"{group.key.section.value}: {group.why}"]
    if group.key.refused:
        lines.append(f"They stay: {group.key.refused}")
    known = "" if measured else "at least "
    lines.append(f"Together they take {known}{look.size(size)}.")
    lines.append(f"To compute them again: {cost_words(removal.cost_of_part(group))}.")
    needed = need_words(group.rows, frozenset()) if is_needed(group) else ""
    lines.append(f"Needed by {needed}." if needed else "Nobody needs them.")
    for row in group.rows[:MOST_ROWS]:
        bytes_ = removal.sizes.get(row.offer)
        known = "" if bytes_ is None else f"  {look.size(bytes_)}"
        lines.append(f"{removal.titles.get(row.offer, '')}{known}")
    if len(group.rows) > MOST_ROWS:
        lines.append(f"and {len(group.rows) - MOST_ROWS:,} more: l shows all of them as rows")
    return lines


def part_lines(part: FoldPart, title: str, cost: Cost, ticked: frozenset[Offer]) -> list[str]:
    """In full what the columns may have cut, and what would be unable to run again."""
    rows = rows_of(part)
    refused = refused_words(part)
    needed = not refused and is_needed(part)
    words = need_words(rows, ticked) if needed else ""
    if isinstance(part, Fold):
        title += f", {len(part.offers & ticked):,} ticked"
    line = ": ".join(filter(None, (title, part.why))) + "."
    if not refused:
        whom = "it" if len(rows) == 1 else "them"
        line += f" Needed by {words}." if words else f" Nobody needs {whom}."
    return [line, *_consequences(part, rows if needed else (), refused, cost, ticked)]


def _consequences(
    part: FoldPart, rows: tuple[OfferRow, ...], refused: str, cost: Cost, ticked: frozenset[Offer]
) -> Iterator[str]:
    if refused:
        yield f"Stays: {refused}."
        return
    behind = left_behind(rows, ticked)
    if behind:
        going = offers_of(part) <= ticked
        verb = "This leaves" if going else "Ticking it would leave"
        tasks = Counter(last_part(key.task) for key in behind)
        names = ", ".join(f"{task} ({look.plural(count, 'job')})" for task, count in tasks.items())
        # What failed is no result: nothing of it could be computed again.
        without = "before it has run" if cost.nothing else f"without {cost_words(cost)} of it"
        yield f"{verb} {names} unable to run again {without}."
