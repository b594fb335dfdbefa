"""Removing jobs to the trash and taking them back, as a person orders it.

The app and the command line share these: plan, show the plan, carry it out, undo. What happens on
the disk is `xpm_engine.workspace.cleaning`'s matter.
"""

from __future__ import annotations

from xpm_engine.errors import UsageError
from xpm_engine.verbs.protection import changing
from xpm_engine.verbs.words import plural
from xpm_engine.workspace import cleaning
from xpm_engine.workspace.cleaning import (
    Need,
    NeedKind,
    RemovalPlan,
    RemovalRow,
    Transaction,
    UndoReport,
    list_trash,
    measure,
    plan_removal,
)
from xpm_engine.workspace.layout import WorkspacePaths

__all__ = [
    "Need",
    "NeedKind",
    "RemovalPlan",
    "RemovalRow",
    "Transaction",
    "UndoReport",
    "carry_out",
    "contents",
    "list_trash",
    "measure",
    "moved_sentence",
    "plan_removal",
    "purge",
    "undo",
    "undone_sentence",
]


carry_out = changing(cleaning.carry_out)
purge = changing(cleaning.purge)


@changing
def undo(workspace: WorkspacePaths, transaction: str | None = None) -> UndoReport:
    """Take back a clean: the one named, or the newest that still has something in the trash.

    Raises UsageError where there is none, OccupiedError while somebody works on it, StorageError.
    """
    if transaction is None:
        newest = next(iter(list_trash(workspace)), None)
        if newest is None:
            raise UsageError("the trash is empty: there is no clean to undo", where=workspace.trash)
        transaction = newest.name
    return cleaning.undo(workspace, transaction)


def moved_sentence(done: Transaction) -> str:
    """What a clean did, in one line."""
    things = contents(done)
    moved = f"moved {things} to the trash" if things else "moved nothing"
    if done.left:
        moved += f", left {len(done.left)} where they are"
    return moved if done.empty else f"{moved}; frees 0 B until purged"


def undone_sentence(report: UndoReport) -> str:
    """What an undo did, in one line."""
    things = _things(len(report.returned), len(report.leftovers)) or "nothing"
    line = f"moved {things} back"
    if report.kept:
        line += f", {len(report.kept):,} stay in the trash"
    return line


def contents(item: Transaction) -> str:
    """What of a clean lies in the trash: ``3 jobs and the leftovers of 1 attempt``."""
    return _things(len(item.removals), len(item.leftovers))


def _things(jobs: int, attempts: int) -> str:
    parts = [plural(jobs, "job")] if jobs else []
    if attempts:
        parts.append(f"the leftovers of {plural(attempts, 'attempt')}")
    return " and ".join(parts)
