"""What the app changes on another machine: the engine's own verbs do it there.

The engine goes there the way the agent does, into a process of its own that is made when it is
first needed. Nothing is written there but what the user orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from xpm_engine.errors import ProtocolError, UsageError
from xpm_engine.remote.connection import Connection
from xpm_engine.remote.frames import Message
from xpm_engine.verbs.cleaning.clean import Transaction
from xpm_engine.verbs.cleaning.clean_json import cleans_from_json
from xpm_engine.verbs.cleaning.obsolete import Offer, Surveyed
from xpm_engine.verbs.cleaning.offer_json import row_from_json
from xpm_engine.verbs.cleaning.offers import Offering
from xpm_engine.verbs.cleaning.trash_facts import (
    CleanedFacts,
    TrashFacts,
    cleaned_from_json,
    trash_from_json,
)
from xpm_engine.verbs.kill import LivePlan
from xpm_engine.verbs.retry_outline import RetryOutline, outline_from_json
from xpm_engine.verbs.why import Cause, Why
from xpm_engine.workspace.index import JobRow, Records, state_of
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.obsolete import survey
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.scan import JobRecord
from xpm_engine.workspace.tickets import new_nonce
from xpm_tui.changes import Change, Cleaned, Pinned, pin_words
from xpm_tui.cleaning.planning import PlanOrder
from xpm_tui.cleaning.removal import Removal, removal_of
from xpm_tui.far.place import FarPlace

PATIENCE = 3600.0
"""Seconds for what is done there: that the machine lives is watched by the connection itself."""

MOST_PLANS = 4
"""As many as are kept there."""

PART = 5_000
"""Jobs named in one message."""


@dataclass(frozen=True)
class _SurveyedThere:
    """What was obsolete when it was asked last."""

    removal: Removal
    connection: Connection
    number: int
    """Of its plan there."""
    digest: str
    whole: bool
    """Whether all was known here that it names: else the rows of some jobs lack their names."""

    def found(self, offering: object) -> bool:
        return offering is self.removal.offering


class FarDeeds:
    """Carries out there what the user orders here."""

    def __init__(self, place: FarPlace, *, readonly: bool = False) -> None:
        self._place = place
        self._readonly = readonly
        self._lock = Lock()
        self._connection: Connection | None = None
        self._plans: list[tuple[object, Connection, int]] = []
        """What was planned lately, where that was made, and its number there."""
        self._surveyed: _SurveyedThere | None = None

    def live_plans(self, keys: Sequence[JobKey]) -> tuple[LivePlan, ...]:
        found = self._about("plans", keys)
        return tuple(
            LivePlan(part.text("experiment"), part.text("run"), _process(part)) for part in found
        )

    def stop_plan(self, plan: LivePlan) -> bool:
        facts = {"experiment": plan.experiment, "run": plan.run, "driver": plan.driver.to_json()}
        return any(part.flag("reached") for part in self._change("stop_plan", **facts))

    def kill(self, keys: Sequence[JobKey]) -> list[str]:
        self._check()
        return [part.text("outcome") for part in self._about("kill", keys)]

    def pin(self, keys: Sequence[JobKey]) -> Pinned:
        return self._pin(keys, toggle=True)

    def plan(self, order: PlanOrder) -> tuple[Removal, int]:
        connection = self._reached()
        wanted = order.wanted
        chosen = None if wanted.keys is None else self._choose(connection, wanted.keys)
        asked = self._stream(
            connection, "offer", chosen=chosen, runs=wanted.runs, runs_chosen=wanted.runs_chosen
        )
        head = self._head(asked)
        offering = _offering(order, head, asked)
        self._note_plan(offering, connection, head.integer("plan"))
        return removal_of(offering), head.integer("days")

    def survey(self, order: PlanOrder) -> tuple[Removal, int]:
        connection = self._reached()
        last = self._surveyed
        known = ""
        if last is not None and last.whole and last.connection is connection:
            known = last.digest
        asked = self._stream(connection, "offer", runs=(), runs_chosen=False, known=known)
        head = self._head(asked)
        digest = head.text("digest")
        if last is None or digest != known:
            removal = removal_of(_offering(order, head, asked))
            whole = all(_is_known(row.job, order.jobs) for row in removal.rows)
            last = _SurveyedThere(removal, connection, head.integer("plan"), digest, whole)
            self._surveyed = last
        return last.removal, head.integer("purged")

    def holds(self, found: Removal) -> bool:
        last = self._surveyed
        return last is not None and last.found(found.offering) and last.connection.alive

    def measure(
        self,
        found: Removal,
        tell: Callable[[Removal], object],
        *,
        stopped: Callable[[], bool],
    ) -> None:
        if found.measured:
            tell(found)
            return
        connection, number = self._made(found.offering)
        sizes = dict(found.sizes)
        for part in self._stream(connection, "sizes", plan=number):
            told: list[tuple[int, int]] = part.items("sizes")
            sizes.update((found.rows[row].offer, size) for row, size in told)
            if stopped():
                return
            tell(replace(found, sizes=dict(sizes)))

    def move(self, found: Removal, ticked: frozenset[Offer]) -> Transaction:
        self._check()
        connection, number = self._made(found.offering)
        bits = bytearray((len(found.rows) + 7) // 8)
        for place, row in enumerate(found.rows):
            if row.offer in ticked:
                bits[place // 8] |= 1 << place % 8
        parts = self._stream(connection, "move", data=bytes(bits), plan=number)
        for clean in cleans_from_json(parts):
            return clean
        raise ProtocolError(f"{self._place.host} did not say what was moved")

    def take_back(self, change: Change) -> str:
        if isinstance(change, Cleaned):
            (part,) = self._change("undo", clean=change.transaction)
            return part.text("words")
        return pin_words(self._pin(change.jobs, on=not change.on))

    def plan_retry(self, keys: Sequence[JobKey], *, assume_dead: bool = False) -> RetryOutline:
        connection = self._reached()
        chosen = self._choose(connection, keys)
        asked = self._stream(connection, "retry", chosen=chosen, assume_dead=assume_dead)
        head = self._head(asked)
        found = outline_from_json(asked)
        self._note_plan(found, connection, head.integer("plan"))
        return found

    def start_retry(self, plan: RetryOutline) -> tuple[str, ...]:
        self._check()
        connection, number = self._made(plan)
        return tuple(part.text("run") for part in self._stream(connection, "start", plan=number))

    def purge(self, name: str) -> None:
        for _ in self._change("purge", clean=name):
            pass

    def trash(self) -> tuple[Transaction, ...]:
        """The cleans that lie in the trash there."""
        return tuple(cleans_from_json(self._stream(self._reached(), "trash")))

    def trash_facts(self) -> TrashFacts:
        return trash_from_json(self._stream(self._reached(), "trash_facts"))

    def cleaned(self, name: str) -> CleanedFacts:
        return cleaned_from_json(self._stream(self._reached(), "cleaned", clean=name))

    def why(self, key: JobKey) -> Why:
        """Why a job ran: what is here is not enough to tell."""
        (part,) = self._stream(self._reached(), "why", key=str(key))
        nearest = part.optional_text("nearest")
        return Why(
            key,
            Cause(part.text("cause")),
            part.text("text"),
            tuple(part.texts("lines")),
            None if nearest is None else JobKey.parse(nearest),
        )

    def close(self) -> None:
        """Let go; what was begun there is done to its end."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _pin(self, keys: Sequence[JobKey], *, on: bool = True, toggle: bool = False) -> Pinned:
        self._check()
        done: list[JobKey] = []
        for part in self._about("pin", keys, on=on, toggle=toggle):
            on = part.flag("on") if "on" in part.data else on
            done += map(JobKey.parse, part.texts("keys"))
        return Pinned(tuple(done), on)

    def _check(self) -> None:
        if self._readonly:
            raise UsageError("it was opened read-only: nothing is changed", where=self._place.url)

    def _change(self, what: str, **fields: Any) -> Iterator[Fields]:
        self._check()
        return self._stream(self._reached(), what, **fields)

    def _about(self, what: str, keys: Sequence[JobKey], **fields: Any) -> Iterator[Fields]:
        connection = self._reached()
        return self._stream(connection, what, chosen=self._choose(connection, keys), **fields)

    def _choose(self, connection: Connection, keys: Sequence[JobKey]) -> str:
        """Name the jobs of the next request."""
        name = new_nonce()
        for start in range(0, len(keys), PART):
            part = [str(key) for key in keys[start : start + PART]]
            connection.ask("choose", name=name, keys=part)
        return name

    def _stream(
        self, connection: Connection, what: str, *, data: bytes = b"", **fields: Any
    ) -> Iterator[Fields]:
        where = f"{self._place.host}'s answer"
        root = self._place.root
        parts = connection.stream(what, data=data, patience=PATIENCE, root=root, **fields)
        return (Fields(part.body, where) for part in parts if _says(part))

    def _note_plan(self, plan: object, connection: Connection, number: int) -> None:
        self._plans = [*self._plans[1 - MOST_PLANS :], (plan, connection, number)]

    def _head(self, parts: Iterator[Fields]) -> Fields:
        for part in parts:
            return part
        raise ProtocolError(f"{self._place.host} did not answer what was asked")

    def _made(self, plan: object) -> tuple[Connection, int]:
        for known, connection, number in self._plans:
            if known is plan and connection.alive:
                return connection, number
        last = self._surveyed
        if last is not None and last.found(plan) and last.connection.alive:
            return last.connection, last.number
        raise UsageError(
            "the link was lost since this plan was made, and nothing was changed",
            hint="leave it, and press the key again",
        )

    def _reached(self) -> Connection:
        """The process there that has the verbs."""
        with self._lock:
            if self._connection is None or not self._connection.alive:
                # It is told at once, and without waiting for ssh, that there is no way there.
                self._place.link.connection()
                self._connection = self._place.verbs()
            return self._connection


def _offering(order: PlanOrder, head: Fields, parts: Iterable[Fields]) -> Offering:
    """What is offered there; what it costs to compute again is reckoned here."""
    jobs = Records(order.jobs)
    views = {(view.experiment, view.run): view for view in order.views}
    rows = tuple(row_from_json(row, jobs, views) for part in parts for row in part.parts("rows"))
    # From the same records; but who can't tell is that machine.
    found = replace(survey(order.views, jobs), blockers=tuple(head.texts("blockers")))
    return Offering(Surveyed(found, frozenset(), order.views), rows)


def _is_known(job: JobRecord | None, jobs: Mapping[JobKey, JobRow]) -> bool:
    """Whether a row has its job from these, and not only what the row itself tells of it."""
    if job is None:
        return True
    row = jobs.get(job.key)
    return row is not None and state_of(row) is job.state


def _says(part: Message) -> bool:
    return bool(part.body)


def _process(part: Fields) -> ProcessIdentity:
    return ProcessIdentity.read(part.part("driver"))
