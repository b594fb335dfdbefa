"""Jobs on the disk as a plan and a supervisor leave them, without running anything."""

from __future__ import annotations

import os
from typing import Any

from tests.engine.making import end, launch, start
from xpm_engine.config.order import Order
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.jobs import JobSummary
from xpm_engine.workspace.records.params import ParamsRecord
from xpm_engine.workspace.records.reasons import Outcome


class Disk:
    """A workspace to which jobs are added, each ordered a second after the one before."""

    def __init__(self, root: str) -> None:
        self.workspace = WorkspacePaths(root)
        self._clock = 1_700_000_000

    def add(self, order: Order, outcome: Outcome = Outcome.DONE, **end_changes: Any) -> JobKey:
        """A job that ended so; its folder, tickets and records."""
        return self.add_record(order.key, order.params, outcome, tags=order.tags, **end_changes)

    def add_record(
        self,
        key: JobKey,
        params: ParamsRecord,
        outcome: Outcome = Outcome.DONE,
        *,
        tags: dict[str, Any] | None = None,
        **end_changes: Any,
    ) -> JobKey:
        """The same from a record alone; a second time it is the next attempt."""
        job = self.workspace.job(key)
        number = max(tickets.ticket_names(job), default=0) + 1
        self._clock += 1
        tickets.claim_launch(job, launch(key, number, params=params.to_json(), tags=tags or {}))
        os.utime(job.launch(number), (self._clock, self._clock))
        tickets.claim_start(job, number, start())
        made = end(outcome, **end_changes)
        tickets.record_end(job, number, made)
        write_atomic(job.params, dumps(params.to_json()))
        summary = JobSummary(
            key=key,
            attempt=number,
            outcome=outcome,
            run="drmm/20261123-091200-ab12",
            started=made.at,
            user="ada",
            supervisor=processes.own_identity(),
            ended=made.at,
            reason=made.reason,
            usage=made.usage,
            metrics=made.metrics,
            tags=tags or {},
        )
        write_atomic(job.summary, dumps(summary.to_json()))
        return key
