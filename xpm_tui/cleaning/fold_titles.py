"""What a group of alike rows of a plan is called: ``learn lr=1 seed=1..5 (5 jobs)``."""

from __future__ import annotations

from xpm_engine.verbs.cleaning.folding import Fold
from xpm_tui import look
from xpm_tui.cleaning.removal import Removal
from xpm_tui.store.labels import last_part


def fold_title(fold: Fold, removal: Removal, width: int) -> str:
    """Its task, what its jobs have in common, then in what they differ, and how many there are.

    In so many cells: what differs gives way first, then what is common; the count never does.
    """
    subject, count = look.plain(last_part(fold.key.subject)), f"({fold.count})"
    told = removal.words_of(fold)
    common = told.common
    for words in ((*common, *told.other), common):
        title = " ".join((subject, *words, count))
        if len(title) <= width:
            return title
    room = max(0, width - len(count) - 1)
    head = " ".join((subject, *common))
    return f"{head if len(head) <= room else head[: max(0, room - 1)] + '…'} {count}"
