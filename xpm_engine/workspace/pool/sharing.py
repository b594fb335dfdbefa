"""The arithmetic of a pool: who may go and who must wait, without any file.

Jobs are looked at in the order in which they wait. One that fits takes what it needs. One that
does not keeps, for itself, what comes before the first thing that it lacks, and that thing: so no
later job overtakes it there, while jobs that need other things go on. As all take in the same
order (`Kind`), whoever is first in a line moves up at each end of a job, and nobody starves.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Dict, Iterable, Mapping, Optional, Sequence, Set, Tuple

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.pool import Place, Reservation, Waiting
from xpm_engine.workspace.records.reasons import Wait, WaitKind
from xpm_engine.workspace.records.resources import CPU, GPU, MEMORY, Demand, Kind, Resource

MAX_HOLDERS = 3
"""Jobs that are named as holding what another one waits for."""


@dataclass(frozen=True)
class Limits:
    """What there is to share, as one plan sees it."""

    cpus: int
    memory: Optional[int] = None
    """Bytes; None: it is not counted."""
    devices: Tuple[str, ...] = ()
    """The GPUs, as CUDA_VISIBLE_DEVICES names them."""
    tokens: Tuple[Tuple[str, int], ...] = ()
    """Name and count of each token, sorted."""

    def amounts(self) -> "Dict[Resource, int]":
        """How much there is of what is counted."""
        found = {Resource(Kind.TOKEN, name): count for name, count in self.tokens}
        found[GPU] = len(self.devices)
        if self.memory is not None:
            found[MEMORY] = self.memory
        found[CPU] = self.cpus
        return found


@dataclass(frozen=True)
class Shortage:
    """Why a job can't go now."""

    resource: Resource
    used: int
    total: int
    holders: Tuple[JobKey, ...] = ()
    """Some of the jobs that have it; not told for processors."""
    behind: str = ""
    """The run that waited before, where nothing else is in the way."""


class Share:
    """One look at the pool: what is taken, by whom, and who waits before us."""

    def __init__(
        self,
        limits: Limits,
        reservations: Iterable[Reservation],
        others: Sequence[Waiting] = (),
        *,
        plan: str = "",
    ) -> None:
        """`plan` is who looks, `others` are the other plans that wait."""
        self._plan = plan
        self._limits = limits.amounts()
        self._devices = limits.devices
        self._reservations = list(reservations)
        self._taken: Dict[Resource, int] = {}
        self._kept: Dict[Resource, int] = {}
        """For those that wait before."""
        for each in self._reservations:
            self._count(each)
        self._line = sorted(
            (
                ((place.since, other.plan, number), place, other)
                for other in others
                for number, place in enumerate(other.places)
            ),
            key=itemgetter(0),
        )
        """Those before us, whoever is first last."""
        self._line.reverse()
        self._before = ""
        self.called: Set[Tuple[str, float]] = set()
        """Plan and time of the places before us whose turn it is."""

    def ask(self, demand: Demand, since: float) -> Optional[Shortage]:
        """Why a job that waits since then can't go now; None if it can, and then it must `take`.

        One that can't go keeps its place before those that ask later.
        """
        while self._line and self._line[-1][0] < (since, self._plan):
            _, place, other = self._line.pop()
            self._before = other.run
            if self._pass(place):
                self.called.add((other.plan, place.since))
        lacking = self._lacking(demand)
        if lacking is None:
            return None
        self._keep(demand, lacking)
        return self._shortage(lacking, dict(demand)[lacking])

    def devices_for(self, demand: Demand) -> Tuple[str, ...]:
        """The first free GPUs, as many as are asked for."""
        used = {device for each in self._reservations for device in each.devices}
        free = [device for device in self._devices if device not in used]
        return tuple(free[: dict(demand).get(GPU, 0)])

    def take(self, reservation: Reservation) -> None:
        """Count one more."""
        self._reservations.append(reservation)
        self._count(reservation)

    def _count(self, reservation: Reservation) -> None:
        for resource, count in reservation.demand:
            # Other plans may use GPUs that this one does not see.
            ours = [device for device in reservation.devices if device in self._devices]
            amount = len(ours) if resource == GPU else count
            self._taken[resource] = self._taken.get(resource, 0) + amount

    def _pass(self, place: Place) -> bool:
        """Somebody waits before us: leave room for him; whether he could go at once."""
        lacking = self._lacking(place.demand)
        self._keep(place.demand, lacking)
        return lacking is None

    def _lacking(self, demand: Demand) -> Optional[Resource]:
        for resource, count in demand:
            total = self._limits.get(resource)
            used = self._taken.get(resource, 0) + self._kept.get(resource, 0)
            if total is not None and used + count > total:
                return resource
        return None

    def _keep(self, demand: Demand, lacking: Optional[Resource]) -> None:
        for resource, count in demand:
            self._kept[resource] = self._kept.get(resource, 0) + count
            if resource == lacking:
                return

    def _shortage(self, resource: Resource, wanted: int) -> Shortage:
        total, used = self._limits[resource], self._taken.get(resource, 0)
        holders: Tuple[JobKey, ...] = ()
        if resource != CPU:
            having = [each.key for each in self._reservations if dict(each.demand).get(resource)]
            holders = tuple(having[:MAX_HOLDERS])
        behind = self._before if used + wanted <= total else ""
        return Shortage(resource, used, total, holders, behind)


_KINDS = {
    Kind.CPU: WaitKind.CORE,
    Kind.MEMORY: WaitKind.RESOURCE,
    Kind.GPU: WaitKind.RESOURCE,
    Kind.TOKEN: WaitKind.TOKEN,
}


def wait_of(key: JobKey, shortage: Shortage, place: int = 0) -> Wait:
    """What a job waits for that can't go now, as its run's queue tells it."""
    resource = shortage.resource
    return Wait(
        key,
        _KINDS[resource.kind],
        place,
        on=shortage.holders,
        what="" if resource.kind is Kind.CPU else str(resource),
        used=shortage.used,
        total=shortage.total,
        behind=shortage.behind,
    )


def impossible(demand: Demand, amounts: Mapping[Resource, int]) -> Optional[Resource]:
    """The first thing of which more is asked for than there is; None if it could ever go."""
    for resource, count in demand:
        total = amounts.get(resource)
        if total is not None and count > total:
            return resource
    return None
