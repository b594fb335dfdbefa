"""A run of a plan, and what was retried since: shown as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xpm_engine.workspace.records.runs import Queue
from xpm_engine.workspace.scan import RunView


def with_retries(view: RunView, retries: Sequence[RunView]) -> RunView:
    """A plan's run, with the waits of its jobs as the retries since then, oldest first, tell them.

    While the plan goes on it knows best itself: it follows what is retried.
    """
    if view.live or not retries:
        return view
    waits = {} if view.queue is None else {wait.key: wait for wait in view.queue.waits}
    at = "" if view.queue is None else view.queue.at
    for retry in retries:
        for line in retry.manifest.references:
            waits.pop(line.key, None)
        if retry.queue is not None:
            waits.update((wait.key, wait) for wait in retry.queue.waits)
            at = max(at, retry.queue.at)
    return replace(view, queue=Queue(at, tuple(waits.values())))
