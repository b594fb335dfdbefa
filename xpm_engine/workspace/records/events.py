"""events.jsonl: what happened to a job, a line each, for people who ask later."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, List, Tuple

from xpm_engine.workspace.records.fields import VERSION, no_values


class EventType(str, Enum):
    """What happened."""

    STARTED = "started"
    ENDED = "ended"
    TERMINATING = "terminating"
    """It was asked to stop, and is given time to save."""
    KILLED = "killed"
    """The time to save was over."""
    SWEPT = "swept"
    """Processes that the task had left behind were ended."""
    LEFTOVERS = "leftovers"
    """The files of an earlier attempt were moved aside."""


@dataclass(frozen=True)
class Event:
    """One line of ``events.jsonl``."""

    type: EventType
    attempt: int
    at: str
    by: str
    """The process, for people: ``host:pid``."""
    data: Dict[str, Any] = field(default_factory=no_values)

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "t": self.at,
            "n": self.attempt,
            "type": self.type.value,
            "by": self.by,
            **self.data,
        }


def parse_events(data: bytes) -> Tuple[Tuple[Event, ...], int]:
    """The events that can be read, and the number of lines that can't."""
    events: List[Event] = []
    bad = 0
    for line in data.splitlines():
        try:
            value = json.loads(line)
            extra = {k: v for k, v in value.items() if k not in ("v", "t", "n", "type", "by")}
            events.append(
                Event(EventType(value["type"]), value["n"], value["t"], value["by"], extra)
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            bad += 1
    return tuple(events), bad
