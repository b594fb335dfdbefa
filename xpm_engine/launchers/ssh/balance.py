"""Which host of several a job goes to, by what is free there for this plan; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from fractions import Fraction
from itertools import chain, repeat

from xpm_engine.workspace.pool.sharing import impossible
from xpm_engine.workspace.records.resources import CPU, Demand, Resource

Amounts = Mapping[Resource, int]


class Balance:
    """What this plan has given to each of its hosts, counted for each by itself."""

    def __init__(self, hosts: Iterable[str], whole: Callable[[str], Amounts]) -> None:
        """`whole` tells what a host has; what it does not name is not counted."""
        self._whole = whole
        self._used: dict[str, dict[Resource, int]] = {name: {} for name in hosts}
        self._where: dict[str, tuple[str, Demand]] = {}

    def has(self, nonce: str) -> bool:
        """Whether an order was given to a host."""
        return nonce in self._where

    def give(self, nonce: str, host: str, demand: Demand) -> None:
        """An order goes to a host."""
        self._where[nonce] = host, demand
        self._count(host, demand, 1)

    def take_back(self, nonce: str) -> None:
        """An order has left its host, if it had one."""
        host, demand = self._where.pop(nonce, ("", ()))
        if host:
            self._count(host, demand, -1)

    def lacking(self, demand: Demand) -> tuple[Resource, int] | None:
        """What no host has enough of by itself, and the most that one has; None if one has all."""
        most: tuple[Resource, int] | None = None
        for host in self._used:
            lacking = impossible(demand, self._whole(host))
            if lacking is None:
                return None
            amount = self._whole(host)[lacking]
            most = max(most or (lacking, amount), (lacking, amount), key=lambda pair: pair[1])
        return most

    def choose(
        self, demands: Iterable[Demand], hosts: Collection[str], wishes: Iterable[str] = ()
    ) -> list[str | None]:
        """A host for each demand, of those that are given, in the order in which they wait.

        `wishes` are the hosts where there is something already that a job goes on with, empty
        where there is none: it waits for room there, unless that host is not among those given.

        Of those that have room the one with the largest part free. One that finds room nowhere
        keeps the host that is nearest to having it: small jobs don't starve a large one.
        """
        used = {host: dict(counts) for host, counts in self._used.items()}
        open_hosts = [host for host in self._used if host in hosts]
        chosen: list[str | None] = []
        for demand, wish in zip(demands, chain(wishes, repeat("")), strict=False):
            able = [host for host in open_hosts if impossible(demand, self._whole(host)) is None]
            able = [wish] if wish in able else able
            able.sort(key=lambda host: self._free(host, used[host]), reverse=True)
            free = [host for host in able if self._fits(host, used[host], demand)]
            chosen.append(free[0] if free else None)
            if free:
                _add(used[free[0]], demand, 1)
            elif able:
                open_hosts.remove(able[0])
            if not open_hosts:
                break
        return chosen

    def _fits(self, host: str, used: Mapping[Resource, int], demand: Demand) -> bool:
        left = {each: count - used.get(each, 0) for each, count in self._whole(host).items()}
        return impossible(demand, left) is None

    def _free(self, host: str, used: Mapping[Resource, int]) -> Fraction:
        return 1 - Fraction(used.get(CPU, 0), self._whole(host)[CPU])

    def _count(self, host: str, demand: Demand, sign: int) -> None:
        if host in self._used:
            # One that is only followed may be on a host that gets no new ones.
            _add(self._used[host], demand, sign)


def _add(used: dict[Resource, int], demand: Demand, sign: int) -> None:
    for resource, count in demand:
        used[resource] = used.get(resource, 0) + sign * count
