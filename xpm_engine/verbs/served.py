"""The verbs that change a workspace, served to an asker on another machine (`archive.VERBS`).

All of a request's work is done in a thread: the connection is known to live meanwhile, and what
was begun is done to its end when the asker is gone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Generic, TypeVar

from xpm_engine.errors import UnreadableError, UsageError
from xpm_engine.remote.agent.serving import Agent, Answer, Handler, Request
from xpm_engine.remote.frames import Message
from xpm_engine.verbs import kill
from xpm_engine.verbs.cleaning import clean, pins
from xpm_engine.verbs.cleaning.clean_json import clean_to_json, parts_of
from xpm_engine.verbs.cleaning.obsolete import Offer, plan_clean, size_of, survey_workspace
from xpm_engine.verbs.cleaning.offer_json import row_to_json
from xpm_engine.verbs.cleaning.offering import Wanted, offer
from xpm_engine.verbs.cleaning.offers import Offering
from xpm_engine.verbs.cleaning.trash_facts import (
    cleaned_facts,
    cleaned_to_json,
    trash_facts,
    trash_to_json,
)
from xpm_engine.verbs.retry import RetryPlan, plan_retry
from xpm_engine.verbs.retry_outline import outline_to_json
from xpm_engine.verbs.starting import start_retry
from xpm_engine.verbs.why import why
from xpm_engine.workspace.atomic import dumps
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.scan import check_workspace
from xpm_engine.workspace.settings import load_settings

MOST_PLANS = 4
"""Plans that are kept; the older ones have to be made again."""

TELL_EVERY = 0.3
"""Seconds between two reports of sizes that were measured."""

MOST_SIZES = 5_000
"""Sizes in one report."""

Tell = Callable[[dict[str, Any]], None]

Plan = TypeVar("Plan")


@dataclass
class _Plan:
    """A plan that was shown: only what it holds is carried out."""

    workspace: WorkspacePaths
    offering: Offering
    sizes: dict[Offer, int] = field(default_factory=dict[Offer, int])


class _Kept(Generic[Plan]):
    """The plans that were shown lately, by number."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._plans: dict[int, Plan] = {}
        self._numbers = numbers

    def keep(self, plan: Plan) -> int:
        number = next(self._numbers)
        self._plans[number] = plan
        while len(self._plans) > MOST_PLANS:
            del self._plans[min(self._plans)]
        return number

    def get(self, request: Request) -> Plan | None:
        """The one that a request names."""
        return self._plans.get(request.fields.integer("plan"))


class Served:
    """The requests of one asker."""

    def __init__(self) -> None:
        self._chosen: dict[str, list[JobKey]] = {}
        numbers = count(1)
        self._plans: _Kept[_Plan] = _Kept(numbers)
        self._surveys: _Kept[_Plan] = _Kept(numbers)
        self._retries: _Kept[RetryPlan] = _Kept(numbers)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Every request there is."""
        return {
            "ping": lambda request: {},
            "stop": lambda request: {"was": request.agent.stop(request.fields.integer("of"))},
            "choose": self._choose,
            "plans": self._live_plans,
            "stop_plan": self._stop_plan,
            "kill": self._kill,
            "pin": self._pin,
            "offer": self._offer,
            "sizes": self._measure,
            "move": self._move,
            "undo": self._undo,
            "purge": self._purge,
            "trash": self._trash,
            "trash_facts": self._trash_facts,
            "cleaned": self._cleaned,
            "why": self._why,
            "retry": self._retry,
            "start": self._start,
        }

    def _choose(self, request: Request) -> Answer:
        """Jobs that a later request is about, a part at a time: there may be very many."""
        name = request.fields.text("name")
        self._chosen.setdefault(name, []).extend(map(_key, request.fields.texts("keys")))
        return {}

    def _taken(self, request: Request) -> tuple[JobKey, ...]:
        return tuple(self._chosen.pop(request.fields.text("chosen"), ()))

    def _live_plans(self, request: Request) -> Answer:
        workspace, keys = _workspace(request), frozenset(self._taken(request))

        def work(tell: Tell, _: Event) -> None:
            for plan in kill.live_plans(workspace, keys):
                driver = plan.driver.to_json()
                tell({"experiment": plan.experiment, "run": plan.run, "driver": driver})

        return _worked(work)

    def _stop_plan(self, request: Request) -> Answer:
        fields = request.fields
        driver = ProcessIdentity.read(fields.part("driver"))
        plan = kill.LivePlan(fields.text("experiment"), fields.text("run"), driver)
        return {"reached": kill.stop_plan(_workspace(request), plan)}

    def _kill(self, request: Request) -> Answer:
        workspace, keys = _workspace(request), self._taken(request)

        def work(tell: Tell, _: Event) -> None:
            for key in keys:
                tell({"outcome": kill.kill_words(workspace, key)})

        return _worked(work)

    def _pin(self, request: Request) -> Answer:
        """With `toggle`: where all of it is pinned, the pins are taken away."""
        workspace, keys = _workspace(request), self._taken(request)
        on, toggle = request.fields.flag("on"), request.fields.flag("toggle")

        def work(tell: Tell, _: Event) -> None:
            wanted = on if not toggle else len(pins.pinned_jobs(workspace, keys)) < len(keys)
            done = pins.pin(workspace, keys) if wanted else pins.unpin(workspace, keys)
            tell({"on": wanted})
            for part in parts_of(done):
                tell({"keys": list(map(str, part))})

        return _worked(work)

    def _offer(self, request: Request) -> Answer:
        """A plan of removal. With `known`, the digest of one: nothing more if it is as that one."""
        workspace, fields = _workspace(request), request.fields
        keys = None if fields.optional_text("chosen") is None else self._taken(request)
        runs = tuple((str(name), str(run)) for name, run in fields.items("runs"))
        wanted = Wanted(keys, runs, fields.flag("runs_chosen"))
        known = fields.optional_text("known")

        def work(tell: Tell, _: Event) -> None:
            days = load_settings(workspace).retention.trash_days
            offering = offer(workspace, survey_workspace(workspace), wanted)
            rows = list(map(row_to_json, offering.rows))
            blockers = list(offering.seen.survey.blockers)
            digest = sha256(dumps({"rows": rows, "blockers": blockers})).hexdigest()
            head = {"days": days, "purged": clean.count_purged(workspace), "digest": digest}
            if known == digest:
                tell(head)
                return
            # What is looked at again and again never pushes out what somebody planned.
            plans = self._plans if known is None else self._surveys
            tell({**head, "plan": plans.keep(_Plan(workspace, offering)), "blockers": blockers})
            for part in parts_of(rows):
                tell({"rows": part})

        return _worked(work)

    def _measure(self, request: Request) -> Answer:
        plan = _known(self._plans.get(request) or self._surveys.get(request))

        def work(tell: Tell, stopped: Event) -> None:
            seen: set[tuple[int, int]] = set()
            found: list[tuple[int, int]] = []
            told = time.monotonic()
            for number, row in enumerate(plan.offering.rows):
                if stopped.is_set():
                    return
                size = plan.sizes[row.offer] = size_of(plan.workspace, row.offer, seen)
                found.append((number, size))
                if time.monotonic() - told > TELL_EVERY or len(found) >= MOST_SIZES:
                    tell({"sizes": found})
                    found, told = [], time.monotonic()
            tell({"sizes": found})

        return _worked(work)

    def _move(self, request: Request) -> Answer:
        """Carry out a plan: the data is a bit for each of its rows, set where it is ticked."""
        plan = _known(self._plans.get(request) or self._surveys.get(request))
        ticked = request.data
        rows = plan.offering.rows
        if len(ticked) != (len(rows) + 7) // 8:
            raise UnreadableError("as many ticks as rows are needed", where=request.fields.where)
        offers = [
            row.offer for number, row in enumerate(rows) if ticked[number // 8] >> number % 8 & 1
        ]

        def work(tell: Tell, _: Event) -> None:
            order = plan_clean(plan.workspace, plan.offering.seen, offers, sizes=plan.sizes)
            for part in clean_to_json(clean.carry_out(plan.workspace, order)):
                tell(part)

        return _worked(work)

    def _undo(self, request: Request) -> Answer:
        workspace, name = _workspace(request), request.fields.text("clean")

        def work(tell: Tell, _: Event) -> None:
            tell({"words": clean.undone_sentence(clean.undo(workspace, name))})

        return _worked(work)

    def _purge(self, request: Request) -> Answer:
        workspace, name = _workspace(request), request.fields.text("clean")

        def work(_: Tell, __: Event) -> None:
            clean.purge(workspace, name)

        return _worked(work)

    def _trash(self, request: Request) -> Answer:
        workspace = _workspace(request)

        def work(tell: Tell, _: Event) -> None:
            for lying in clean.list_trash(workspace):
                for part in clean_to_json(lying):
                    tell(part)

        return _worked(work)

    def _trash_facts(self, request: Request) -> Answer:
        workspace = _workspace(request)

        def work(tell: Tell, _: Event) -> None:
            for part in trash_to_json(trash_facts(workspace)):
                tell(part)

        return _worked(work)

    def _cleaned(self, request: Request) -> Answer:
        workspace, name = _workspace(request), request.fields.text("clean")

        def work(tell: Tell, _: Event) -> None:
            for part in cleaned_to_json(cleaned_facts(workspace, name)):
                tell(part)

        return _worked(work)

    def _why(self, request: Request) -> Answer:
        workspace, key = _workspace(request), _key(request.fields.text("key"))

        def work(tell: Tell, _: Event) -> None:
            found = why(workspace, key).to_json()
            tell({name: found[name] for name in ("cause", "text", "lines", "nearest")})

        return _worked(work)

    def _retry(self, request: Request) -> Answer:
        """What running some jobs again means."""
        workspace, keys = _workspace(request), self._taken(request)
        assume_dead = request.fields.flag("assume_dead")

        def work(tell: Tell, _: Event) -> None:
            plan = plan_retry(workspace, keys, assume_dead=assume_dead)
            tell({"plan": self._retries.keep(plan)})
            for part in outline_to_json(plan):
                tell(part)

        return _worked(work)

    def _start(self, request: Request) -> Answer:
        """Start what `retry` planned, by the interpreters that ran the jobs: this one has nothing
        of the user's, and the engine only as it was sent."""
        plan = _known(self._retries.get(request))

        def work(tell: Tell, _: Event) -> None:
            for run in start_retry(plan, fallback=None):
                tell({"run": run.run})

        return _worked(work)


def main(token: str, source: int, sink: int) -> None:
    """Serve one asker until it is gone."""
    # What anything else here may print must not come between the frames.
    sys.stdout = sys.stderr
    Agent(Served().handlers, source=source, sink=sink).serve(token)


def _worked(work: Callable[[Tell, Event], None]) -> Iterator[Message | None]:
    """Do it in a thread, and hand on what it tells; None while there is nothing.

    The event is set when nobody listens any more.
    """
    told: SimpleQueue[dict[str, Any]] = SimpleQueue()
    failed: list[Exception] = []
    gone = Event()

    def run() -> None:
        try:
            work(told.put, gone)
        except Exception as error:  # noqa: BLE001 (told to the asker)
            failed.append(error)

    # No daemon: what it began is done to its end even if the asker goes.
    thread = Thread(target=run)
    thread.start()
    try:
        while True:
            over = not thread.is_alive()
            while not told.empty():
                yield Message(told.get())
            if over:
                break
            yield None
    finally:
        gone.set()
    if failed:
        raise failed[0]


def _known(plan: Plan | None) -> Plan:
    if plan is None:
        raise UsageError("this plan is not known any more", hint="make it again")
    return plan


def _workspace(request: Request) -> WorkspacePaths:
    return check_workspace(request.fields.text("root"))


def _key(text: str) -> JobKey:
    try:
        return JobKey.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
