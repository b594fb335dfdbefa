"""The causes of what failed among a subject's jobs, worked out once for all who show them."""

from __future__ import annotations

from typing import TypeAlias, cast
from weakref import WeakKeyDictionary

from xpm_engine.verbs.causes import Cause, group_causes
from xpm_tui.store import FAILURES, Job, Store, Subject, jobs_among
from xpm_tui.store.selected import Selected

MOST_KEPT = 8
"""Subjects whose causes are kept."""

Causes: TypeAlias = tuple[Cause[Job], ...]

_Known: TypeAlias = "dict[Subject, tuple[int, Selected | None, Causes]]"

_known: WeakKeyDictionary[Store, _Known] = WeakKeyDictionary()


def causes_of(store: Store, subject: Subject) -> Causes:
    """The causes of those of a subject's jobs that failed or died, those of most jobs first."""
    known = _known.setdefault(store, {})
    found = known.get(subject)
    if found is not None and found[0] == store.version and found[1] is store.wanted:
        return found[2]
    causes = group_causes(jobs_among(store.jobs(subject), FAILURES))
    if len(known) >= MOST_KEPT:
        known.clear()
    known[subject] = (store.version, store.wanted, causes)
    return causes


def as_cause(row: object) -> Cause[Job] | None:
    """A row of a table of causes; None for a row of any other."""
    return cast("Cause[Job]", row) if isinstance(row, Cause) else None
