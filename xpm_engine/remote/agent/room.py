"""Room for jobs in this machine's pool, which all plans of the user share, here and elsewhere.

The asker is one member of it for as long as its agent lives; what was handed to a supervisor
outlives both.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import atexit
import time
from typing import Any, Dict, Iterator, List, Optional

from xpm_engine.errors import UnreadableError
from xpm_engine.remote.agent.serving import Answer, Request, Source
from xpm_engine.remote.frames import Message
from xpm_engine.workspace import processes, tickets
from xpm_engine.workspace.layout import JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.pool.member import Member
from xpm_engine.workspace.pool.sharing import Limits, wait_of
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.resources import Granted, read_demand

GLANCE = 0.1
"""Seconds between two glances at the pool while the asker waits for room."""


class _Room(Source):
    """The asker's place in the pool, and who is told when it changes."""

    def __init__(self) -> None:
        self._member: Optional[Member] = None

    def step(self) -> Iterator[Message]:
        """One part when somebody came or went, as long as the asker waits."""
        waits = self._member is not None and self._member.waits
        self.due = time.monotonic() + GLANCE if waits else None
        if waits and self._member is not None and self._member.changed:
            # Told once: the next look is the asker's.
            self.due = None
            yield Message({"changed": True})

    def reserve(self, request: Request) -> Dict[str, Any]:
        """As the function of that name."""
        fields = request.fields
        workspace = WorkspacePaths(fields.text("root"))
        limits = _limits(Fields(fields.mapping("limits"), fields.where))
        member = self._joined(limits, fields.text("run"))
        answers: List[Dict[str, Any]] = []
        with member.turn() as turn:
            for text, nonce, wanted in fields.items("jobs"):
                key = JobKey.parse(str(text))
                job = workspace.job(key)
                demand = read_demand(Fields(wanted, fields.where))
                had = member.reservation(str(nonce))
                if had is not None or begun(job, str(nonce)):
                    answers.append(_granted(member, () if had is None else had.devices))
                elif turn is None:
                    answers.append({})
                else:
                    made = turn.ask(key, job.root, demand, str(nonce))
                    short = None if made is not None else turn.refused.get(demand)
                    if made is not None:
                        answers.append(_granted(member, made.devices))
                    else:
                        told = {} if short is None else {"wait": wait_of(key, short).to_json()}
                        answers.append(told)
        self.due = time.monotonic() + GLANCE
        return {"room": answers}

    def hand_over(self, nonce: str) -> None:
        """A job was started with what was reserved for it."""
        if self._member is not None:
            self._member.hand_over(nonce)

    def release(self, nonce: str) -> None:
        """An order will not run here: give back what was reserved for it."""
        if self._member is not None:
            self._member.release(nonce)

    def _joined(self, limits: Limits, run: str) -> Member:
        if self._member is None:
            self._member = Member(limits, run=run, driver=processes.own_identity())
            atexit.register(self._member.close)
        self._member.limits = limits
        return self._member


_room = _Room()
hand_over, release = _room.hand_over, _room.release


def reserve(request: Request) -> Answer:
    """Reserve what orders need: `jobs` [[key, nonce, demand], ...], all that the asker waits with.

    In the order in which they wait; `limits` is what there is here, as the asker sees it; `run`
    says who asks. Answers ``room`` for each: {"granted": {"devices", "pool"}}, or {"wait": why},
    and then it keeps its place in the line until it is asked for again, or {}: nobody knows yet.
    """
    return _room.reserve(request)


def watch(request: Request) -> Answer:
    """Tell, once after each `reserve` that left somebody waiting, that it is worth another one."""
    return _room


def begun(job: JobPaths, nonce: str) -> bool:
    """Whether an order has started here, or will not any more: it needs no room."""
    try:
        attempt = tickets.newest_attempt(job)
    except (FileNotFoundError, UnreadableError):
        return False
    return (
        attempt is not None
        and attempt.launch.nonce == nonce
        and (attempt.start is not None or attempt.end is not None)
    )


def _granted(member: Member, devices: "tuple[str, ...]") -> Dict[str, Any]:
    return {"granted": Granted(devices, member.folder).to_json()}


def _limits(fields: Fields) -> Limits:
    tokens = Fields(fields.mapping("tokens"), fields.where)
    return Limits(
        fields.integer("cpus"),
        fields.optional_integer("memory"),
        tuple(fields.texts("devices")),
        tuple((name, tokens.integer(name)) for name in sorted(tokens.data)),
    )
