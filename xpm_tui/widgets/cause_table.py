"""The causes of what failed, each said once with the number of its jobs."""

from __future__ import annotations

from rich.text import Text

from xpm_tui import look
from xpm_tui.causes import Cause
from xpm_tui.store import pair, shared
from xpm_tui.widgets.table_keys import KeyTable
from xpm_tui.widgets.table_model import Column


class CauseTable(KeyTable[Cause]):
    """A cause a row; opening one asks for its jobs."""

    markable = False

    def __init__(self) -> None:
        super().__init__(lambda cause: cause.key, columns=COLUMNS)


def same_words(cause: Cause) -> str:
    """The tags that are the same in all jobs of a cause."""
    same = shared([job.tags for job in cause.jobs])
    return look.plain(" ".join(pair(name, value) for name, value in same.items()))


COLUMNS: tuple[Column[Cause], ...] = (
    Column(
        "jobs",
        lambda cause: Text(f"{len(cause.jobs):,}", "xpm.failed"),
        lambda cause: len(cause.jobs),
        width=5,
        right=True,
    ),
    Column("cause", lambda cause: Text(look.plain(cause.text)), lambda cause: cause.text, width=38),
    Column(
        "where", lambda cause: Text(look.plain(cause.where)), lambda cause: cause.where, width=24
    ),
    Column("same in all", lambda cause: Text(same_words(cause)), same_words, width=28),
    Column("line", lambda cause: Text(look.plain(cause.source), "xpm.faint"), width=48),
)
