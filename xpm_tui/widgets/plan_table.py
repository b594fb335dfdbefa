"""The rows of a removal's plan: ticked or not, with size, and who needs them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from rich.text import Text

from xpm_engine.verbs.clean import RemovalPlan, RemovalRow
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_tui import look
from xpm_tui.store.labels import labelling, last_part
from xpm_tui.widgets.table_keys import KeyTable
from xpm_tui.widgets.table_model import Column

MOST_NAMED = 3
"""Jobs that are named in one cell as needing a row."""


class PlanTable(KeyTable[RemovalRow]):
    """A job a row; what is marked here is ticked."""

    mark_sign = " "

    def __init__(self) -> None:
        super().__init__(lambda row: row.key)
        self._titles: Mapping[JobKey, str] = {}
        self._ticked: frozenset[JobKey] = frozenset()
        self._columns_made = self._make_columns()

    def take(self, plan: RemovalPlan, titles: Mapping[JobKey, str]) -> None:
        """Show a plan."""
        self._titles = titles
        self.show(plan.rows, columns=self._columns_made)

    def show_ticks(self, ticked: frozenset[JobKey]) -> None:
        """Draw these rows as ticked."""
        self._ticked = ticked
        self.show_marks(frozenset[Hashable](ticked))

    def _make_columns(self) -> tuple[Column[RemovalRow], ...]:
        return (
            Column("", self._tick_cell, width=3),
            Column("what", self._what_cell, lambda row: self._titles.get(row.key), width=32),
            Column(
                "state",
                lambda row: look.state_text(row.job.state),
                lambda row: row.job.state.value,
                width=11,
            ),
            Column("size", size_cell, lambda row: row.size, width=8, right=True),
            Column("who needs it", self._need_cell, self._need_order, width=60),
        )

    def _tick_cell(self, row: RemovalRow) -> Text:
        if row.refused:
            return Text("[-]", "xpm.faint")
        return Text("[x]", "xpm.marked") if row.key in self._ticked else Text("[ ]")

    def _what_cell(self, row: RemovalRow) -> Text:
        return Text(self._titles.get(row.key, row.key.short))

    def _need_cell(self, row: RemovalRow) -> Text:
        if row.refused:
            return Text(look.plain(row.refused), "xpm.warning")
        words = need_words(row, self._ticked)
        return Text(words, "xpm.warning") if words else Text("nobody", "xpm.faint")

    def _need_order(self, row: RemovalRow) -> str:
        return self._need_cell(row).plain


def first_ticks(plan: RemovalPlan) -> frozenset[JobKey]:
    """What is ticked at first: what nobody outside of the plan needs, and no finished result.

    A single job was named by the user, so that it is ticked even if it is finished.
    """
    alone = len(plan.rows) == 1
    return frozenset(
        row.key
        for row in plan.ready
        if not plan.needed_by(row) and (alone or row.job.state is not JobState.DONE)
    )


def need_words(row: RemovalRow, ticked: frozenset[JobKey]) -> str:
    """Who needs this row and would stay, as only the ticked ones go; empty for nobody."""
    needs = [need for need in row.needs if need.job not in ticked]
    if not needs:
        return ""
    names = [
        str(need) if need.job is None else f"{last_part(need.job.task)} {need.job.short}"
        for need in needs[:MOST_NAMED]
    ]
    more = f" and {len(needs) - MOST_NAMED:,} more" if len(needs) > MOST_NAMED else ""
    return look.plain(", ".join(names) + more)


def row_titles(plan: RemovalPlan) -> dict[JobKey, str]:
    """What each row is called: its task, and what tells it from its siblings in the plan."""
    by_task: dict[str, list[RemovalRow]] = {}
    for row in plan.rows:
        by_task.setdefault(row.key.task, []).append(row)
    titles: dict[JobKey, str] = {}
    for task, rows in by_task.items():
        names = labelling([row.job for row in rows])
        for row in rows:
            label = names.label(row.key, row.job.tags, row.job.params)
            titles[row.key] = look.plain(f"{last_part(task)} {label}")
    return titles


def size_cell(row: RemovalRow) -> Text:
    """Its size, a question mark until it is measured."""
    return Text("?" if row.size is None else look.size(row.size))
