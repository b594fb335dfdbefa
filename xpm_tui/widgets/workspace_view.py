"""The right side of the workspace: its experiments, and what happened since the last look."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.message import Message
from textual.widget import Widget

from xpm_engine.verbs.causes import group_causes
from xpm_engine.workspace.records.fields import now as record_now
from xpm_engine.workspace.records.states import JobState
from xpm_tui import clock, look
from xpm_tui.store import FAILURES, Changed, Experiment, Store
from xpm_tui.widgets.damage import damage_lines, damaged_file
from xpm_tui.widgets.subject_view import SubjectView
from xpm_tui.widgets.table.fitted import FittedTable
from xpm_tui.widgets.table.model import Column
from xpm_tui.widgets.table.table import Table

BAR = 8


@dataclass(frozen=True)
class Since:
    """From when on what happened is news."""

    at: str
    """As records state time."""
    visit: bool = False
    """Whether that was the end of the user's last visit, and not the beginning of this one."""


class WorkspaceView(SubjectView):
    """All experiments; opening one asks for its jobs."""

    class ExperimentOpened(Message):
        """An experiment is to be shown."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, since: str | None = None, id: str | None = None) -> None:  # noqa: A002
        self.since = Since(since or record_now(), visit=bool(since))
        super().__init__(id=id)

    def make_panes(self) -> Sequence[Widget]:
        self.experiments: FittedTable[Experiment] = FittedTable(lambda row: row.name, COLUMNS)
        self.experiments.trouble = lambda row: row.counts.failed > 0
        return (self.experiments,)

    def touched(self, changed: Changed) -> bool:
        return changed.experiments or bool(changed.runs)

    def feed(self, pane: int) -> None:
        if self.store is None:
            return
        title = Text().append(look.plain(self.store.told(self.store.workspace.root)), "xpm.title")
        since = Text(since_words(self.store, self.since, clock.now()))
        self.strip.show(title, since, *damage_lines(self.store))
        self.experiments.show(self.store.experiments())

    def on_table_opened(self, message: Table.Opened) -> None:
        message.stop()
        if isinstance(message.row, Experiment):
            self.post_message(self.ExperimentOpened(message.row.name))


def since_words(store: Store, since: Since, now: float) -> str:
    """``since your last visit today 18:40: 41 done, 23 failed in 3 causes``."""
    ended = store.ended_since(since.at)
    done = sum(job.state is JobState.DONE for job in ended)
    failed = sum(job.state in FAILURES for job in ended)
    parts = [f"{done:,} done"] if done else []
    if failed:
        causes = look.plural(len(group_causes(ended)), "cause")
        parts.append(f"{failed:,} failed in {causes}")
    visit = "your last visit " if since.visit else ""
    return f"since {visit}{look.when_long(since.at, now)}: {', '.join(parts) or 'nothing ended'}"


def _trouble_cell(row: Experiment) -> Text:
    cell = Text()
    for state, count in (
        (JobState.FAILED, row.counts.failed),
        (JobState.RUNNING, row.counts.running),
        (JobState.WAITING, row.counts.waiting),
        (JobState.BLOCKED, row.counts.blocked),
    ):
        if count:
            cell.append(" " if cell else "")
            cell.append_text(look.count_text(state, count))
    return cell


def _done_cell(row: Experiment) -> Text:
    total = row.counts.total
    cell = Text().append_text(look.bar(_fraction(row), BAR))
    return cell.append(f" {row.counts.done:>6,}/{total:,}")


def _fraction(row: Experiment) -> float:
    return row.counts.done / row.counts.total if row.counts.total else 0.0


def _plan_words(row: Experiment) -> str:
    if row.view is None:
        return "no run yet"
    if row.view.problem:
        return look.plain(f"unreadable {os.path.basename(damaged_file(row.view))}")
    return "unreadable" if row.plan is None else look.PLANS[row.plan]


def _name_cell(row: Experiment) -> Text:
    return Text(look.plain(row.name))


def _name(row: Experiment) -> str:
    return row.name


def _failed(row: Experiment) -> int:
    return row.counts.failed


COLUMNS: tuple[Column[Experiment], ...] = (
    Column(
        "experiment",
        _name_cell,
        _name,
        width=24,
        yields=2,
        narrower=Column("experiment", _name_cell, _name, width=16),
    ),
    Column("done", _done_cell, _fraction, width=22),
    Column(
        "now",
        _trouble_cell,
        _failed,
        width=20,
        yields=3,
        narrower=Column("now", _trouble_cell, _failed, width=13),
    ),
    Column(
        "last active",
        lambda row: Text(look.when_long(row.active, clock.now())),
        lambda row: row.active or None,
        width=12,
    ),
    Column("plan", lambda row: Text(_plan_words(row)), _plan_words, width=22, yields=4),
    Column(
        "runs",
        lambda row: Text(f"{len(row.runs):,}"),
        lambda row: len(row.runs),
        width=5,
        right=True,
        yields=1,
    ),
)
