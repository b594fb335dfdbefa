"""The order of an attempt, and telling a launcher of it."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from xpm_engine.errors import StorageError
from xpm_engine.launchers.base import Handle, LaunchOrder
from xpm_engine.plan.node import Node
from xpm_engine.plan.orders import retrying_of, shared_names
from xpm_engine.plan.run import RunWriter
from xpm_engine.workspace.atomic import dumps, write_atomic
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.pool import Reservation
from xpm_engine.workspace.records.resources import Granted
from xpm_engine.workspace.records.runs import RunKind
from xpm_engine.workspace.records.tickets import Launch, LaunchedBy


class Launching:
    """Gives the orders of one run; in the scheduler's thread."""

    def __init__(self, run: RunWriter) -> None:
        self._run = run
        self.since: float | None = None
        """When (time.monotonic) a launcher was told the order that it starts now."""

    def order(self, node: Node, attempt: int, granted: Reservation) -> Launch:
        """What the next attempt of a job is to be."""
        order, record, folder = node.order, self._run.record, node.lane.gate.folder
        # Those of another machine are chosen there, when it is known which one it is.
        place = Granted(granted.devices if folder else (), folder)
        return Launch(
            nonce=granted.nonce,
            key=node.key,
            attempt=attempt,
            by=LaunchedBy.RETRY if record.kind is RunKind.RETRY else LaunchedBy.PLAN,
            at=now(),
            driver=record.driver,
            run=self._run.name,
            params=order.params.to_json(),
            resolved=order.resolved,
            project=self._run.project,
            shared=shared_names(order),
            dependencies=order.dependencies,
            early=order.early,
            tags=dict(node.tags),
            resources={**node.resources.to_json(), **place.to_json()},
            launcher=node.lane.name,
            resumable=order.resumable,
            retrying=retrying_of(node.options),
        )

    def tell(self, node: Node, launch: Launch) -> Handle:
        """Have a claimed attempt started; raises LaunchError."""
        log = os.path.abspath(self._run.paths.log)
        order = LaunchOrder(node.key, node.paths, launch.attempt, launch.nonce, log)
        self.since = time.monotonic()
        try:
            handle = node.lane.launcher.submit([order])[0]
        finally:
            self.since = None
        process = None if handle.process is None else handle.process.to_json()
        data = {"launcher": handle.launcher, "process": process, "data": dict(handle.data)}
        with suppress(StorageError):
            # Information only: the job is on its way.
            write_atomic(node.paths.handle(launch.attempt), dumps(data))
        return handle
