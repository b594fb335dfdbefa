"""What a group of alike rows of a plan is called: ``learn lr=1 seed=1..5 (5 jobs)``."""

from __future__ import annotations

from xpm_engine.verbs.fold_words import common_and_other
from xpm_engine.verbs.folding import Fold
from xpm_tui import look
from xpm_tui.cleaning.removal import Removal
from xpm_tui.store.labels import last_part


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
    """What its jobs have in common of what tells the jobs of the plan apart, and what not."""
    jobs = [row.job for row in fold.rows if row.job is not None]
    names = removal.labels.get(fold.key.subject)
    if not jobs or names is None:
        return [], []
    tags = ((name, [job.tags[name] for job in jobs if name in job.tags]) for name in names.tags)
    params = (
        (last_part(name), [job.params[name] for job in jobs if name in job.params])
        for name in names.params
    )
    return common_and_other((*tags, *params), len(jobs))
