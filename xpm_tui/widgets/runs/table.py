"""The runs of an experiment, with what each was asked to do and how it ended."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.text import Text

from xpm_engine.workspace.records.runs import JobsState, PlanState
from xpm_engine.workspace.scan import RunView
from xpm_tui import clock, look
from xpm_tui.store import RunKey
from xpm_tui.widgets.damage import damaged_file
from xpm_tui.widgets.table.fitted import FittedTable
from xpm_tui.widgets.table.model import Column

NOTES = "notes"


class RunTable(FittedTable[RunView]):
    """A run a row, newest first; opening one asks for its jobs."""

    def __init__(self) -> None:
        super().__init__(run_key, COLUMNS)
        self.nothing = "no run"

    def show_runs(self, views: Sequence[RunView]) -> None:
        """Show these runs; their notes, if one of them has any."""
        noted = any(map(notes_words, views))
        columns = [column for column in COLUMNS if noted or column.title != NOTES]
        self.show(views, columns=columns)


def run_key(view: RunView) -> RunKey:
    """The name of a run."""
    return RunKey(view.experiment, view.run)


def plan_cell(view: RunView) -> Text:
    """How far its plan came, and whether its jobs ended well."""
    if view.problem:
        file = os.path.basename(damaged_file(view))
        return Text(look.plain(f"unreadable {file}"), "xpm.unreadable")
    if view.plan is None or view.record is None:
        return Text("unreadable", "xpm.unreadable")
    if view.plan is PlanState.RUNNING:
        return Text("running", "xpm.running")
    if view.plan is PlanState.COMPLETE and view.record.jobs is JobsState.FAILED:
        return Text("complete, jobs failed", "xpm.failed")
    good = view.plan is PlanState.COMPLETE
    return Text(look.PLANS[view.plan], "xpm.done" if good else "xpm.warning")


def arguments_words(view: RunView) -> str:
    """The plan's file, what it was given, and what was selected of it."""
    if view.record is None:
        return look.plain(view.problem)
    scope = view.record.scope
    words = [os.path.basename(scope.plan)]
    words += [f"{name}={value}" for name, value in scope.arguments]
    if view.record.selection is not None:
        words.append(f"--only {view.record.selection}")
    return look.plain(" ".join(words))


def commit_words(view: RunView) -> str:
    """The commit that its plan was at; a plus for changes that were not committed."""
    git = None if view.record is None else view.record.git
    return "" if git is None else look.plain(git.commit[:8] + ("+" if git.dirty else ""))


def notes_words(view: RunView) -> str:
    """What the plan noted about the run, the last note first."""
    notes = () if view.record is None else view.record.notes
    return look.plain("; ".join(note.text for note in reversed(notes)))


def _when_cell(view: RunView) -> Text:
    started = None if view.record is None else view.record.started
    return Text(look.when_long(started, clock.now()))


COLUMNS: tuple[Column[RunView], ...] = (
    Column(
        "started",
        _when_cell,
        lambda view: view.record.started if view.record else None,
        width=16,
    ),
    Column("plan", plan_cell, lambda view: plan_cell(view).plain, width=22, wish=26),
    Column(
        "jobs",
        lambda view: Text(f"{len(view.manifest.references):,}"),
        lambda view: len(view.manifest.references),
        width=7,
        right=True,
    ),
    Column(
        "arguments", lambda view: Text(arguments_words(view)), arguments_words, width=20, grows=True
    ),
    Column("commit", lambda view: Text(commit_words(view)), commit_words, width=9, yields=2),
    Column(NOTES, lambda view: Text(notes_words(view)), notes_words, width=24, yields=3),
    Column(
        "run",
        lambda view: Text(look.plain(view.run), "xpm.faint"),
        lambda view: view.run,
        width=22,
        yields=1,
    ),
)
