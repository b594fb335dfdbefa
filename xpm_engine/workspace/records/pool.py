"""The files of a machine's pool: what each running attempt takes, and what each plan waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Tuple, cast

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.records.reasons import read_key
from xpm_engine.workspace.records.resources import Demand, demand_to_json, read_demand


@dataclass(frozen=True)
class Reservation:
    """What one attempt takes, from the grant to its end."""

    nonce: str
    """Of its N.launch, which may not be written yet."""
    key: JobKey
    job: str
    """The job's folder."""
    demand: Demand
    devices: Tuple[str, ...]
    """The GPUs that it may use."""
    driver: ProcessIdentity
    """The plan that took it."""
    run: str
    at: str

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "nonce": self.nonce,
            "task": self.key.task,
            "id": self.key.identifier,
            "job": self.job,
            "demand": demand_to_json(self.demand),
            "devices": list(self.devices),
            "driver": self.driver.to_json(),
            "run": self.run,
            "at": self.at,
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Reservation":
        fields = Fields(data, where)
        fields.version()
        return cls(
            nonce=fields.text("nonce"),
            key=read_key(fields),
            job=fields.text("job"),
            demand=read_demand(fields.part("demand")),
            devices=tuple(fields.texts("devices")),
            driver=ProcessIdentity.read(fields.part("driver")),
            run=fields.text("run"),
            at=fields.text("at"),
        )


@dataclass(frozen=True)
class Place:
    """One demand that a plan waits with."""

    since: float
    """When it began to wait, on the clock that counts from the machine's start."""
    demand: Demand


@dataclass(frozen=True)
class Waiting:
    """What one plan waits for, each demand once: the first of its jobs that has it."""

    plan: str
    """The random name of the plan in this pool."""
    run: str
    driver: ProcessIdentity
    places: Tuple[Place, ...]

    def to_json(self) -> Dict[str, Any]:
        places = [
            {"since": place.since, "demand": demand_to_json(place.demand)} for place in self.places
        ]
        return {
            "v": VERSION,
            "plan": self.plan,
            "run": self.run,
            "driver": self.driver.to_json(),
            "places": places,
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Waiting":
        fields = Fields(data, where)
        fields.version()
        items: List[Any] = fields.items("places")
        places = [
            Fields(cast("Dict[str, Any]", item) if isinstance(item, dict) else {}, where)
            for item in items
        ]
        return cls(
            plan=fields.text("plan"),
            run=fields.text("run"),
            driver=ProcessIdentity.read(fields.part("driver")),
            places=tuple(
                Place(place.number("since"), read_demand(place.part("demand"))) for place in places
            ),
        )
