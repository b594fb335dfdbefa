"""A launcher for the tests of plans: nothing is executed, and the test says how each job ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from xpm_engine.launchers.base import Capacity, Coming, Handle, LaunchOrder, Sight
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.fields import now
from xpm_engine.workspace.records.reasons import Outcome, Reason, ReasonKind, Wait
from xpm_engine.workspace.records.tickets import Attempt, End, Launch, Start

NAME = "fake"


class FakeLauncher:
    """Records what it is told to start, and lets it end at once, or when the test says so."""

    def __init__(
        self,
        *,
        outcome: Outcome | None = Outcome.DONE,
        outcomes: Mapping[str, Outcome] | None = None,
        cores: int = 1000,
        name: str = NAME,
    ) -> None:
        """`outcome` is how jobs end at once, None: by `end` alone; `outcomes`: by
        the name of the task's folder instead. `name` is what submits may call it."""
        self.orders: list[Launch] = []
        """What was submitted, in order."""
        self._outcome = outcome
        self._outcomes = dict(outcomes or {})
        self._places: dict[JobKey, LaunchOrder] = {}
        self._cores = cores
        self._name = name
        self._heard: Callable[[JobKey], None] | None = None

    @property
    def name(self) -> str:
        return self._name

    def capacity(self) -> Capacity:
        return Capacity(cores=self._cores)

    def submit(self, orders: Sequence[LaunchOrder]) -> list[Handle]:
        for order in orders:
            path = order.job.launch(order.attempt)
            self.orders.append(Launch.from_json(read_object(path), path))
            self._places[order.key] = order
            outcome = self._outcomes.get(order.key.task, self._outcome)
            if outcome is not None:
                self.end(order.key, outcome)
        return [Handle(self._name, None, {"nonce": order.nonce}) for order in orders]

    def end(self, key: JobKey, outcome: Outcome = Outcome.DONE) -> None:
        """Let a submitted job have started and ended; raises KeyError for one that was not."""
        order = self._places[key]
        me = processes.own_identity()
        start = Start(tickets.new_nonce(), order.nonce, me, now(), processes.user_name())
        reason = None
        if outcome is not Outcome.DONE:
            reason = Reason(ReasonKind.EXCEPTION, f"the test lets it end as {outcome.value}")
        launch = next(each for each in self.orders if each.nonce == order.nonce)
        end = End(
            nonce=tickets.new_nonce(),
            outcome=outcome,
            at=now(),
            by=me,
            reason=reason,
            resolved=launch.resolved,
            project=launch.project,
        )
        tickets.claim_start(order.job, order.attempt, start)
        tickets.record_end(order.job, order.attempt, end)
        if self._heard is not None:
            self._heard(key)

    def knows(self, name: str) -> bool:
        return name == self._name

    def find(self, orders: Sequence[LaunchOrder]) -> dict[str, Sight]:
        known = {order.nonce for order in self._places.values()}
        return {
            order.nonce: Sight.COMING if order.nonce in known else Sight.GONE for order in orders
        }

    def follow(self, job: JobPaths, attempt: Attempt) -> bool:
        return False

    def cancel(self, handles: Sequence[Handle]) -> None:
        nonces = {handle.data.get("nonce") for handle in handles}
        for key, order in list(self._places.items()):
            if order.nonce in nonces:
                self.end(key, Outcome.CANCELLED)

    def listen(self, heard: Callable[[JobKey], None]) -> None:
        self._heard = heard

    def why_waits(self, key: JobKey) -> Wait | None:
        return None

    def reads(self, host: str) -> bool:
        return True

    def fetch(self, job: JobPaths, host: str, told: Callable[[Coming], None]) -> None:
        """Its jobs write nothing."""
        told(Coming())

    def bring(self, key: JobKey, patterns: Sequence[str]) -> None:
        """There are none."""

    def forget(self, handle: Handle) -> None:
        """It has no process."""

    def close(self) -> None:
        """It has nothing to let go of."""
