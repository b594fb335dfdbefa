"""What the columns of tags and parameters are called: each by a title of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from xpm_engine.filters.names import PARAM, TAG
from xpm_tui.store.labels import last_part
from xpm_tui.store.model import Job

FIXED = (
    *("state", "task", "id", "progress", "time", "note"),
    *("host", "user", "attempt", "started", "ended", "memory", "how"),
)
"""Titles that columns have in every table."""

Titles = Mapping[str, str]
"""What sorts by a column -> its title, for tags and parameters."""


def titles_of(jobs: Sequence[Job]) -> Titles:
    """Each tag by its name, each parameter by the last part of its; longer where that is another's.

    A column is known by its title: two of the same would be chosen and sorted as one.
    """
    tags = [TAG + name for name in names_in([job.tags for job in jobs])]
    params = [PARAM + name for name in names_in([job.params for job in jobs])]
    alike = Counter(map(last_part, (*tags, *params)))
    found: dict[str, str] = {}
    taken = set(FIXED)
    for name in (*tags, *params):
        whole = name.partition(".")[2]
        short = last_part(name) if name.startswith(PARAM) and alike[last_part(name)] == 1 else whole
        found[name] = next((each for each in (short, whole) if each not in taken), name)
        taken.add(found[name])
    return found


def names_in(all_values: Sequence[Mapping[str, Any]]) -> list[str]:
    """All names, in the order in which they are met."""
    return list(dict.fromkeys(name for values in all_values for name in values))
