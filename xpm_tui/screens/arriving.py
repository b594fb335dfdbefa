"""Where the app opens: at the job or experiment that was asked for, else where it was left."""

from __future__ import annotations

from dataclasses import dataclass

from xpm_engine.workspace.layout import JobKey
from xpm_tui import look
from xpm_tui.session import Session
from xpm_tui.store import Store
from xpm_tui.widgets.right_side import RightSide
from xpm_tui.widgets.tree.model import RowKey
from xpm_tui.widgets.tree.tree import Tree


@dataclass(frozen=True)
class Goal:
    """What was asked for on the command line; at most one of the two."""

    job: str = ""
    """The beginning of an identifier, perhaps after ``TASK/``."""
    experiment: str = ""

    def __bool__(self) -> bool:
        return bool(self.job or self.experiment)


def meant(store: Store, text: str) -> list[JobKey]:
    """The jobs that `text` means, as `xpm` takes the names of jobs."""
    task, _, prefix = text.strip().rpartition("/")
    return [
        key
        for key in store.known()
        if key.identifier.startswith(prefix.lower())
        and (not task or key.task == task or key.task.endswith(f".{task}"))
    ]


def why_not(store: Store, goal: Goal) -> str:
    """Why the goal is not shown, now that everything was read."""
    if goal.experiment:
        return f"no experiment is called {look.plain(goal.experiment)}"
    found = meant(store, goal.job)
    if found:
        words = f"{look.plain(goal.job)} means {look.plural(len(found), 'job')}"
        return f"{words}: type more of the identifier, or find it with :"
    return f"no job is called {look.plain(goal.job)}"


def restore(session: Session, tree: Tree, right: RightSide) -> None:
    """Group, unfold and sort as it was left."""
    tree.model.by = session.grouping
    tree.model.unfolded.update(map(RowKey, session.unfolded))
    tree.model.greeted.update(session.met)
    right.job_table.choice = session.columns
    if session.sorted_by:
        right.job_table.table.sort_by_title(session.sorted_by, reverse=session.reverse)


def left_at(store: Store, tree: Tree, right: RightSide) -> Session:
    """How it is now, to be kept."""
    column = right.job_table.table.model.column
    return Session(
        cursor=tree.subject,
        unfolded=tuple(key.subject for key in tree.model.unfolded),
        met=tuple(experiment.name for experiment in store.experiments()),
        grouping=tree.by,
        sorted_by="" if column is None else column.title,
        reverse=right.job_table.table.model.reverse,
        columns=dict(right.job_table.choice),
    )
