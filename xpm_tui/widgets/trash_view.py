"""The right side of the trash: what was cleaned, by whom and when, and can be brought back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.text import Text
from textual.message import Message
from textual.widget import Widget

from xpm_engine.workspace.cleaning.transactions import Transaction
from xpm_tui import clock, look
from xpm_tui.store import Changed, pair
from xpm_tui.widgets.subject_view import SubjectView
from xpm_tui.widgets.table_keys import KeyTable
from xpm_tui.widgets.table_model import Column


class TrashView(SubjectView):
    """A clean a row, newest first; `z` brings back the one under the cursor."""

    class UndoWanted(Message):
        """The user wants this clean to be taken back."""

        def __init__(self, transaction: Transaction) -> None:
            super().__init__()
            self.transaction = transaction

    def make_panes(self) -> Sequence[Widget]:
        self.cleans: KeyTable[Transaction] = KeyTable(lambda row: row.name, columns=COLUMNS)
        self.cleans.markable = False
        return (self.cleans,)

    def touched(self, changed: Changed) -> bool:
        return changed.trash

    def feed(self, pane: int) -> None:
        if self.store is None:
            return
        trash = self.store.trash
        words = "z brings back the clean under the cursor; nothing is freed before it is purged"
        self.strip.show(trash_line(trash), Text().append(words, "xpm.faint"))
        self.cleans.show(trash)

    def do_undo(self) -> None:
        if self.cleans.row is not None:
            self.post_message(self.UndoWanted(self.cleans.row))


def trash_line(trash: Sequence[Transaction]) -> Text:
    """``Trash   2 cleans, 40 jobs``."""
    jobs = sum(len(row.removals) for row in trash)
    line = Text().append("Trash", "xpm.title")
    return line.append(f"   {look.plural(len(trash), 'clean')}, {look.plural(jobs, 'job')}")


def what_words(row: Transaction) -> str:
    """``learn × 19, evaluate × 2``: the tasks of a clean's jobs."""
    if row.problem:
        return look.plain(row.problem)
    tasks = Counter(removal.key.task.rpartition(".")[2] for removal in row.removals)
    parts = [f"{task} × {count}" if count > 1 else task for task, count in tasks.most_common()]
    if len(row.removals) == 1:
        only = row.removals[0]
        parts += [pair(name, value) for name, value in only.tags.items()] + [only.key.short]
    left = f"; {look.plural(len(row.left), 'job')} left in place" if row.left else ""
    unfinished = "; unfinished" if row.unfinished else ""
    separator = " " if len(row.removals) == 1 else ", "
    return look.plain(separator.join(parts) + left + unfinished)


def _size_cell(row: Transaction) -> Text:
    return Text("?" if row.size is None else look.size(row.size))


COLUMNS: tuple[Column[Transaction], ...] = (
    Column(
        "when",
        lambda row: Text(look.when_long(row.at, clock.now())),
        lambda row: row.at or None,
        width=16,
    ),
    Column(
        "who",
        lambda row: Text(look.plain(f"{row.user}@{row.host}" if row.user else "?")),
        lambda row: row.user,
        width=18,
    ),
    Column(
        "jobs",
        lambda row: Text(f"{len(row.removals):,}"),
        lambda row: len(row.removals),
        width=6,
        right=True,
    ),
    Column("size", _size_cell, lambda row: row.size, width=9, right=True),
    Column("what", lambda row: Text(what_words(row)), what_words, width=56),
)
