"""The causes of what failed among a subject's jobs, worked out once for all who show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, cast
from weakref import WeakKeyDictionary

from xpm_engine.verbs.causes import Cause, causes_among, group_causes
from xpm_engine.workspace.layout import JobKey
from xpm_tui.store import FAILURES, Job, Store, Subject, jobs_among
from xpm_tui.store.selected import Selected

MOST_KEPT = 16
"""Subjects whose causes are kept."""

Causes: TypeAlias = tuple[Cause[Job], ...]


@dataclass
class _Known:
    """The causes of one subject's jobs."""

    version: int
    """That of the store from which they are."""
    whole: Causes | None = None
    """Those of all its jobs, whatever the filter says; None if these were not asked for."""
    keys: tuple[tuple[JobKey, ...], ...] = ()
    """Their jobs."""
    wanted: Selected | None = None
    narrowed: Causes | None = None
    """Those of the jobs that are wanted."""


_known: WeakKeyDictionary[Store, dict[Subject, _Known]] = WeakKeyDictionary()


def causes_of(store: Store, subject: Subject) -> Causes:
    """The causes of those of a subject's jobs that failed or died, those of most jobs first."""
    subjects = _known.setdefault(store, {})
    known = subjects.get(subject)
    if known is None or known.version != store.version:
        if len(subjects) >= MOST_KEPT:
            subjects.clear()
        known = subjects[subject] = _Known(store.version)
    wanted = store.wanted
    if wanted is None:
        if known.whole is None:
            known.whole = group_causes(jobs_among(store.jobs(subject), FAILURES))
            known.keys = tuple(cause.keys for cause in known.whole)
        return known.whole
    if known.narrowed is None or known.wanted is not wanted:
        known.wanted, known.narrowed = wanted, _narrowed(store, subject, known, wanted)
    return known.narrowed


def _narrowed(store: Store, subject: Subject, known: _Known, wanted: Selected) -> Causes:
    """A filter changes with every key; which jobs have a cause in common does not."""
    if known.whole is None:
        return group_causes(jobs_among(store.jobs(subject), FAILURES))
    return causes_among(known.whole, [wanted.mask_of(keys) for keys in known.keys])


def as_cause(row: object) -> Cause[Job] | None:
    """A row of a table of causes; None for a row of any other."""
    return cast("Cause[Job]", row) if isinstance(row, Cause) else None
