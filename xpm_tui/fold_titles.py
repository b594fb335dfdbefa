"""What a group of alike rows of a plan is called: ``learn lr=1 seed=1..5 (5 jobs)``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from xpm_engine.verbs.folding import Fold
from xpm_engine.workspace.records.params import short_text
from xpm_tui import look
from xpm_tui.removal import Removal
from xpm_tui.store.labels import frozen, last_part, pair

MOST_VALUES = 3
"""Values of a name that are spelled out; of more there is a range, or how many there are."""


def fold_title(fold: Fold, removal: Removal, width: int) -> str:
    """Its task, what its jobs have in common, then in what they differ, and how many there are.

    In so many cells: what differs gives way first, then what is common; the count never does.
    """
    subject, count = look.plain(last_part(fold.key.subject)), f"({fold.count})"
    common, other = _values(fold, removal)
    for words in ([*common, *other], common):
        title = " ".join((subject, *words, count))
        if len(title) <= width:
            return title
    room = max(0, width - len(count) - 1)
    head = " ".join((subject, *common))
    return f"{head if len(head) <= room else head[: max(0, room - 1)] + '…'} {count}"


def _values(fold: Fold, removal: Removal) -> tuple[list[str], list[str]]:
    """``lr=1`` of all of them, and ``seed=1..5`` of some each."""
    jobs = [row.job for row in fold.rows if row.job is not None]
    names = removal.labels.get(fold.key.subject)
    if not jobs or names is None:
        return [], []
    found: list[tuple[str, list[Any]]] = []
    for name in names.tags:
        found.append((name, [job.tags[name] for job in jobs if name in job.tags]))
    for name in names.params:
        found.append((last_part(name), [job.params[name] for job in jobs if name in job.params]))
    common: list[str] = []
    other: list[str] = []
    for name, values in found:
        distinct = list({frozen(value): value for value in values}.values())
        if len(distinct) == 1 and len(values) == len(jobs):
            common.append(look.plain(pair(name, distinct[0])))
        elif distinct:
            other.append(look.plain(f"{name}={_range(distinct)}"))
    return common, other


def _range(values: Sequence[Any]) -> str:
    """``1..5``, ``0.1,0.5``, ``12 values``."""
    numbers = all(isinstance(value, (int, float)) for value in values)
    ordered = sorted(values) if numbers else sorted(values, key=short_text)
    if len(ordered) > 2 and numbers and all(b - a == 1 for a, b in pairwise(ordered)):
        return f"{short_text(ordered[0])}..{short_text(ordered[-1])}"
    if len(ordered) <= MOST_VALUES:
        return ",".join(map(short_text, ordered))
    if numbers:
        return f"{short_text(ordered[0])}…{short_text(ordered[-1])}"
    return f"{len(ordered)} values"
