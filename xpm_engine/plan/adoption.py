"""Results of tasks that were renamed since: found under their former names."""

from __future__ import annotations

from typing import Any

from xpm_engine.config.order import Order
from xpm_engine.config.task import Task
from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import aliases, tickets
from xpm_engine.workspace.layout import JobKey, WorkspacePaths


def find_former(workspace: WorkspacePaths, task: Task[Any], order: Order) -> JobKey | None:
    """The finished job under a former name whose result `order` can use; None if there is none.

    A job that has attempts of its own adopts nothing. What can't be read is not adopted: the job
    is then handled, and told, like any other.
    """
    from xpm_engine.config.adoption import former_identifiers

    former = former_identifiers(task)
    if not former:
        return None
    try:
        job = workspace.job(order.key)
        # A void ticket, as a clean that was undone leaves it, is no attempt.
        if tickets.ticket_names(job) and tickets.last_attempt(job) is not None:
            return None
        alias = aliases.alias_of(workspace, order.key)
        candidates = former if alias is None else (alias.of, *former)
        for key in candidates:
            if aliases.has_result(workspace, key):
                return aliases.resolve(workspace, key)
    except (UnreadableError, FileNotFoundError):
        return None
    return None
