"""Results that a run found to be made with other defaults: listed, accepted, or moved away."""

from __future__ import annotations

from collections.abc import Sequence

from xpm_engine.plan.drift import accept_digest, count_changes
from xpm_engine.verbs.jobs.listing import JobRow
from xpm_engine.verbs.jobs.selecting import select
from xpm_engine.verbs.protection import changing
from xpm_engine.workspace.cleaning import Transaction, carry_out, measure, plan_removal
from xpm_engine.workspace.layout import WorkspacePaths


def drifted(workspace: WorkspacePaths, texts: Sequence[str]) -> tuple[JobRow, ...]:
    """The jobs that the latest runs saw drifted, of those that a filter selects (all, if empty).

    Raises FilterError.
    """
    found = select(workspace, texts or ["is:drifted"], strict=True)
    return tuple(row for row in found.rows if row.drift)


def summary(rows: Sequence[JobRow]) -> list[str]:
    """Each change with the number of results behind it, the most frequent first."""
    return count_changes(change for row in rows for change in row.drift)


@changing
def accept(workspace: WorkspacePaths, rows: Sequence[JobRow]) -> None:
    """Let the next plan use these results as they are; recorded with each job.

    Raises StorageError, UnreadableError.
    """
    for row in rows:
        accept_digest(workspace.job(row.key), row.resolved, row.drift)


@changing
def rerun(workspace: WorkspacePaths, rows: Sequence[JobRow]) -> Transaction:
    """Move these results to the trash, so that the next plan computes them again; undoable."""
    plan = measure(workspace, plan_removal(workspace, [row.key for row in rows]))
    return carry_out(workspace, plan)
