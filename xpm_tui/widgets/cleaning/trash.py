"""The right side of the trash: what was cleaned, by whom and when, until when it comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rich.text import Text
from textual.message import Message
from textual.widget import Widget

from xpm_engine.errors import XpmError
from xpm_engine.verbs.cleaning.clean import things_words
from xpm_engine.verbs.cleaning.trash_facts import TrashFacts
from xpm_engine.workspace.cleaning.transactions import Transaction
from xpm_engine.workspace.records.fields import parse_time
from xpm_engine.workspace.records.purged import Purged
from xpm_tui import clock, look
from xpm_tui.own_faults import foreseen
from xpm_tui.store import Changed, Store, Subject, pair
from xpm_tui.widgets.subject_view import SubjectView
from xpm_tui.widgets.table.fitted import FittedTable
from xpm_tui.widgets.table.model import Column
from xpm_tui.widgets.table.table import Table

DAY = 86_400

TrashRow = Transaction | Purged


class TrashView(SubjectView):
    """A clean a row, newest first, then those that were deleted for good.

    `z` brings back the one under the cursor, `x` deletes it, enter shows its jobs.
    """

    class UndoWanted(Message):
        """The user wants this clean to be taken back."""

        def __init__(self, transaction: Transaction) -> None:
            super().__init__()
            self.transaction = transaction

    class PurgeWanted(Message):
        """The user wants these cleans to be deleted for good."""

        def __init__(self, cleans: tuple[Transaction, ...]) -> None:
            super().__init__()
            self.cleans = cleans

    class CleanOpened(Message):
        """The jobs of a clean are to be shown."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Seen(Message):
        """The records of what was purged, and the settings, were read."""

        def __init__(self, read: TrashFacts) -> None:
            super().__init__()
            self.read = read

    _read = TrashFacts()

    def make_panes(self) -> Sequence[Widget]:
        self.cleans: FittedTable[TrashRow] = FittedTable(lambda row: row.name, self._columns())
        return (self.cleans,)

    def touched(self, changed: Changed) -> bool:
        return changed.trash or changed.obsolete

    def show(self, subject: Subject, store: Store) -> None:
        super().show(subject, store)
        self._look()

    def refresh_from(self, changed: Changed) -> None:
        super().refresh_from(changed)
        if self.store is not None and self.touched(changed):
            self._look()

    def feed(self, pane: int) -> None:
        if self.store is None:
            return
        trash = self.store.trash
        words = "z brings back, x deletes for good, enter shows; nothing is freed before that"
        self.strip.show(trash_line(trash), Text().append(words, "xpm.faint"))
        names = {row.name for row in trash}
        gone = (record for record in self._read.purged if record.name not in names)
        self.cleans.show((*trash, *gone))

    @property
    def idle(self) -> frozenset[str]:
        """The actions that find nothing to do with this row: what was deleted for good is no clean
        any more."""
        lies = isinstance(self.cleans.row, Transaction)
        return frozenset() if lies else frozenset(("undo", "remove"))

    def do_undo(self) -> None:
        row = self.cleans.row
        if isinstance(row, Transaction):
            self.post_message(self.UndoWanted(row))
        elif row is not None:
            self.notify("it was deleted for good", severity="warning", markup=False)

    def do_remove(self) -> None:
        """Ask before the clean under the cursor is deleted for good."""
        row = self.cleans.row
        if isinstance(row, Transaction):
            self.post_message(self.PurgeWanted((row,)))
        elif row is not None:
            self.notify("it was deleted for good already", severity="warning", markup=False)

    def on_table_opened(self, message: Table.Opened) -> None:
        message.stop()
        self.post_message(self.CleanOpened(message.row.name))

    def on_trash_view_seen(self, message: Seen) -> None:
        message.stop()
        if message.read != self._read:
            self._read = message.read
            self.feed(0)
            self.cleans.repaint()

    def _look(self) -> None:
        """Ask for the records in a thread, which ends in one message."""
        deeds = self.deeds

        def work() -> None:
            try:
                with foreseen():
                    facts = deeds.trash_facts()
            except XpmError:
                # The settings can't be read, or the other machine can't be reached.
                facts = replace(self._read, days=None)
            self.post_message(self.Seen(facts))

        self.run_worker(work, thread=True, group="trash", exclusive=True, exit_on_error=False)

    def _columns(self) -> tuple[Column[TrashRow], ...]:
        return (
            Column(
                "when",
                lambda row: Text(look.when_long(_at(row), clock.now())),
                lambda row: _at(row) or None,
                width=13,
            ),
            Column(
                "who",
                lambda row: Text(look.plain(f"{row.user}@{row.host}" if row.user else "?")),
                lambda row: row.user,
                width=16,
                yields=1,
            ),
            Column("size", _size_cell, lambda row: row.size, width=8, right=True),
            Column("purged", self._purge_cell, lambda row: _at(row) or None, width=9, yields=2),
            Column("what", lambda row: Text(what_words(row)), what_words, width=16, grows=True),
        )

    def _purge_cell(self, row: TrashRow) -> Text:
        """When it will be, or was, deleted for good."""
        if isinstance(row, Purged):
            return Text(look.when(row.purged, clock.now()), "xpm.faint")
        at = parse_time(row.at)
        if self._read.days is None:
            return Text("?", "xpm.faint")
        if not self._read.days or at is None:
            return Text("by hand", "xpm.faint")
        left = at + self._read.days * DAY - clock.now()
        return Text("next clean" if left <= 0 else f"in {look.duration(left)}")


def trash_line(trash: Sequence[Transaction]) -> Text:
    """``Trash   2 cleans, 40 jobs``."""
    jobs = sum(len(row.removals) for row in trash)
    line = Text().append("Trash", "xpm.title")
    return line.append(f"   {look.plural(len(trash), 'clean')}, {look.plural(jobs, 'job')}")


def what_words(row: TrashRow) -> str:
    """``learn × 19, evaluate × 2``: the tasks of a clean's jobs, and what else it holds."""
    if isinstance(row, Purged):
        return look.plain(f"record of {things_words(len(row.jobs), row.pieces)}")
    if row.problem:
        return look.plain(row.problem)
    tasks = Counter(removal.key.task.rpartition(".")[2] for removal in row.removals)
    parts = [f"{task} × {count}" if count > 1 else task for task, count in tasks.most_common()]
    if len(row.removals) == 1:
        only = row.removals[0]
        names = [pair(name, value) for name, value in only.tags.items()] + [only.key.short]
        parts = [" ".join([*parts, *names])]
    if row.pieces:
        parts.append(things_words(0, row.pieces))
    left = f"; {look.plural(len(row.left), 'job')} left in place" if row.left else ""
    unfinished = "; unfinished" if row.unfinished else ""
    cause = f" · {row.cause}" if row.cause else ""
    return look.plain(", ".join(parts) + left + unfinished + cause)


def _at(row: TrashRow) -> str:
    return row.cleaned if isinstance(row, Purged) else row.at


def _size_cell(row: TrashRow) -> Text:
    return Text("?" if row.size is None else look.size(row.size))
