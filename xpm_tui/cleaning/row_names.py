"""What the rows of a plan are called and found by; worked out task by task, and little is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from xpm_engine.verbs.cleaning.obsolete import Offer
from xpm_engine.verbs.cleaning.offers import OfferRow
from xpm_engine.workspace.index import JobRow, named_in
from xpm_engine.workspace.layout import JobKey
from xpm_tui import look
from xpm_tui.store.labels import Labelling, Values, labelling, last_part

ABSENT = object()
"""In the place of a value that a job does not have."""


@dataclass
class RowNames:
    """What is told of the jobs of a plan."""

    labels: dict[str, Labelling] = field(default_factory=dict[str, Labelling])
    """How the jobs of each task are told apart."""
    titles: dict[Offer, str] = field(default_factory=dict[Offer, str])
    values: dict[JobKey, tuple[Any, ...]] = field(default_factory=dict[JobKey, tuple[Any, ...]])
    """Of each job what `label_values` tells; for as long as the plan is put together."""


class _Sibling(NamedTuple):
    key: JobKey
    tags: Values
    params: Values


def names_of(rows: Iterable[OfferRow]) -> RowNames:
    """What the rows are called: by what tells their jobs from the others of the plan."""
    found = RowNames()
    by_task: dict[str, list[tuple[JobKey, JobRow, OfferRow]]] = {}
    for row in rows:
        key = row.key
        if key is not None and row.known is not None:
            by_task.setdefault(key.task, []).append((key, row.known, row))
        elif not isinstance(row.offer, JobKey):
            found.titles[row.offer] = look.plain(row.offer.words)
    for task, known in by_task.items():
        # Of one task at a time: this is the most that is in memory unpacked.
        jobs = {key: _Sibling(key, *named_in(known)) for key, known, _ in known}
        names = found.labels[task] = labelling(list(jobs.values()))
        for key, job in jobs.items():
            found.values[key] = label_values(names, job.tags, job.params)
        for key, _, row in known:
            label = names.label(key, jobs[key].tags, jobs[key].params)
            piece = "" if isinstance(row.offer, JobKey) else f" {_piece_words(row)}"
            found.titles[row.offer] = look.plain(f"{last_part(task)} {label}{piece}")
    return found


def label_values(names: Labelling, tags: Values, params: Values) -> tuple[Any, ...]:
    """A job's value of each name that `names` tells."""
    return (
        *(tags.get(name, ABSENT) for name in names.tags),
        *(params.get(name, ABSENT) for name in names.params),
    )


def in_order_of_names(rows: Iterable[OfferRow], titles: Mapping[Offer, str]) -> Iterator[OfferRow]:
    """Under each title the jobs by task and name, as people count; what is no job as it came."""
    for _, group in groupby(rows, key=lambda row: row.section):
        yield from sorted(group, key=lambda row: _counted(titles, row))


def finder(
    titles: Mapping[Offer, str], needs: Mapping[Offer, str], words: Sequence[str]
) -> Callable[[OfferRow], bool]:
    """Whether each of these words, in small letters, is in a row's name, its reason or who needs
    it; asked of every row at a key."""

    @cache  # rows have few reasons
    def missing(reason: str) -> tuple[str, ...]:
        told = look.plain(reason).casefold()
        return tuple(word for word in words if word not in told)

    def found(row: OfferRow) -> bool:
        left: Iterable[str] = missing(row.why)
        if not left:
            return True
        if row.refused:
            left = [word for word in left if word in missing(row.refused)]
        told = titles.get(row.offer, "").casefold()
        for word in left:
            if word not in told and (row.offer not in needs or word in missing(needs[row.offer])):
                return False
        return True

    return found


def _counted(titles: Mapping[Offer, str], row: OfferRow) -> tuple[object, ...]:
    """A name in which 9 stands before 10; the task's whole name first."""
    if row.known is None or row.key is None:
        return ()
    words = re.split(r"(\d+(?:\.\d+)?)", titles[row.offer])
    numbered = (
        (0, float(word), "") if place % 2 else (1, 0.0, word) for place, word in enumerate(words)
    )
    return (row.key.task, *numbered)


def _piece_words(row: OfferRow) -> str:
    piece = row.offer
    assert not isinstance(piece, JobKey)
    return f"att. {piece.attempt}" if piece.attempt else piece.names[-1]
