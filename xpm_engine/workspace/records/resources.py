"""What a job needs while it runs: processors, memory, GPUs, time, and tokens of the user's own.

`Resources` is what users write; `Demand` is the same as the pool counts it, in the one order in
which resources are taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple, Union

from xpm_engine.errors import UnreadableError, UsageError
from xpm_engine.workspace.layout import check_name
from xpm_engine.workspace.records.fields import Fields

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\Z", re.IGNORECASE)
_BINARY = {unit: 1024**power for power, unit in enumerate(("", "k", "m", "g", "t"))}
_UNITS: Dict[str, int] = {
    "b": 1,
    **_BINARY,
    **{unit + "ib": factor for unit, factor in _BINARY.items() if unit},
    **{unit + "b": 1000**power for power, unit in enumerate(_BINARY) if unit},
}
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?\s*[a-z]+\s*)+\Z")
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)")
_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


class Kind(str, Enum):
    """The kinds of what can be short, in the order in which they are taken.

    One order for all: of two jobs that each have a part of what the other lacks, one goes on.
    """

    TOKEN = "token"
    GPU = "gpu"
    MEMORY = "memory"
    CPU = "cpu"


class Resource(NamedTuple):
    """One thing that can be short."""

    kind: Kind
    token: str = ""
    """The name of the token; empty for the others."""

    def __str__(self) -> str:
        return self.token or self.kind.value


Demand = Tuple[Tuple[Resource, int], ...]
"""How much of what, in the order of taking; nothing of which nothing is needed."""

GPU = Resource(Kind.GPU)
MEMORY = Resource(Kind.MEMORY)
"""In bytes."""
CPU = Resource(Kind.CPU)


@dataclass(frozen=True)
class Token:
    """A counted name: at most `count` of it are in use at a time, on this machine.

    For what the machine itself does not count: licences, connections to a server, a slow disk.
    Raises UsageError for a count below 1, BadNameError for what is no name.
    """

    name: str
    count: int = 1

    def __post_init__(self) -> None:
        check_name(self.name, what="token")
        _check_count(self.count, f"the count of the token {self.name!r}", least=1)


@dataclass(frozen=True, init=False)
class Resources:
    """What a job needs while it runs."""

    cpus: int
    memory: Optional[int]
    """Bytes; None: it does not say."""
    gpus: int
    time: Optional[float]
    """Seconds after which it is asked to stop; None: as long as it takes."""
    grace: Optional[float]
    """Seconds that it has to save when it is asked to stop, and then is killed; None: 10."""
    tokens: "Mapping[Union[str, Token], int]" = field(hash=False)
    """A token, or the name of one in the settings -> how many it takes."""

    def __init__(
        self,
        *,
        cpus: int = 1,
        memory: "Union[int, str, None]" = None,
        gpus: int = 0,
        time: "Union[float, str, timedelta, None]" = None,
        grace: "Union[float, str, timedelta, None]" = None,
        tokens: "Optional[Mapping[Union[str, Token], int]]" = None,
    ) -> None:
        """`memory` is in bytes or as ``"4GiB"``, ``"500MB"``; times in seconds or as ``"1h30min"``.

        Raises UsageError for what is no number, size or duration, or is below zero.
        """
        taken = dict(tokens or {})
        for token, count in taken.items():
            name = token.name if isinstance(token, Token) else check_name(token, what="token")
            _check_count(count, f"the number of tokens {name!r}", least=1)
        _check_count(cpus, "cpus", least=0)
        _check_count(gpus, "gpus", least=0)
        values: Dict[str, Any] = {
            "cpus": cpus,
            "memory": None if memory is None else parse_size(memory),
            "gpus": gpus,
            "time": None if time is None else parse_duration(time),
            "grace": None if grace is None else parse_duration(grace),
            "tokens": MappingProxyType(taken),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def named(self) -> "Dict[str, int]":
        """Token name -> how many it takes."""
        found: Dict[str, int] = {}
        for token, count in self.tokens.items():
            name = token.name if isinstance(token, Token) else token
            found[name] = found.get(name, 0) + count
        return found

    @property
    def declared(self) -> "Dict[str, int]":
        """Token name -> how many of it there are, for those that say so themselves."""
        return {each.name: each.count for each in self.tokens if isinstance(each, Token)}

    def demand(self) -> Demand:
        """The same as the pool counts it."""
        wanted = [(Resource(Kind.TOKEN, name), count) for name, count in sorted(self.named.items())]
        wanted += [(GPU, self.gpus), (MEMORY, self.memory or 0), (CPU, self.cpus)]
        return tuple((resource, count) for resource, count in wanted if count)

    def to_json(self) -> Dict[str, Any]:
        data: Dict[str, Any] = {
            "cpus": self.cpus,
            "memory": self.memory,
            "gpus": self.gpus,
            "time": self.time,
            "grace": self.grace,
            "tokens": self.named,
        }
        if self.declared:
            data["declared"] = self.declared
        return data

    @classmethod
    def read(cls, data: Dict[str, Any], where: str) -> "Resources":
        """What `to_json` wrote; raises UnreadableError."""
        fields = Fields(data, where)
        taken = Fields(fields.mapping("tokens"), where)
        counts = Fields(fields.mapping("declared"), where)
        try:
            tokens: Dict[Union[str, Token], int] = {
                Token(name, counts.integer(name)) if name in counts.data else name: taken.integer(
                    name
                )
                for name in taken.data
            }
            return cls(
                cpus=fields.integer("cpus"),
                memory=fields.optional_integer("memory"),
                gpus=fields.integer("gpus"),
                time=fields.optional_number("time"),
                grace=fields.optional_number("grace"),
                tokens=tokens,
            )
        except UsageError as error:
            raise UnreadableError(error.what, where=where) from None


GRANTED = "XPM_GRANTED"
"""The variable that tells a job's own process what was granted where N.launch can't know it."""


@dataclass(frozen=True)
class Granted:
    """The part of N.launch's ``resources`` that the job's own process needs.

    On a host that was chosen after N.launch was written, `GRANTED` has it instead, as JSON with the
    nonce that it is for.
    """

    devices: Tuple[str, ...] = ()
    """The GPUs that it may use, as CUDA_VISIBLE_DEVICES names them."""
    pool: str = ""
    """The folder of the pool that has its reservation; empty for none."""

    def to_json(self) -> Dict[str, Any]:
        """Beside those of `Resources.to_json`; what was asked for stands there."""
        return {"devices": list(self.devices), "pool": self.pool}

    @classmethod
    def read(cls, data: Dict[str, Any], where: str) -> "Granted":
        fields = Fields(data, where)
        return cls(tuple(fields.texts("devices")), fields.optional_text("pool") or "")


def demand_to_json(demand: Demand) -> Dict[str, Any]:
    """``{"tokens": {name: n}, "gpu": n, "memory": bytes, "cpu": n}``; what is not there is 0."""
    tokens = {each.token: count for each, count in demand if each.kind is Kind.TOKEN}
    data: Dict[str, Any] = {
        each.kind.value: count for each, count in demand if each.kind is not Kind.TOKEN
    }
    if tokens:
        data["tokens"] = tokens
    return data


def read_demand(fields: Fields) -> Demand:
    """What `demand_to_json` wrote."""
    tokens = Fields(fields.mapping("tokens"), fields.where)
    found = [(Resource(Kind.TOKEN, name), tokens.integer(name)) for name in sorted(tokens.data)]
    for resource in (GPU, MEMORY, CPU):
        count = fields.optional_integer(resource.kind.value)
        if count:
            found.append((resource, count))
    return tuple(found)


def parse_size(value: "Union[int, str]") -> int:
    """Bytes: a number, or a text such as ``500MB`` (decimal) and ``4GiB`` or ``4G`` (binary).

    Raises UsageError for anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _SIZE.match(value.strip()) if isinstance(value, str) else None
    factor = None if match is None else _UNITS.get(match.group(2).lower())
    if match is None or factor is None:
        hint = "bytes, or a text such as '500MB' or '4GiB'"
        raise UsageError(f"{value!r} is no size of memory", hint=hint)
    return int(float(match.group(1)) * factor)


def parse_duration(value: "Union[float, str, timedelta]") -> float:
    """Seconds: a number, a timedelta, or a text such as ``45min``, ``2h``, ``1d12h``.

    Raises UsageError for anything else, and for what is not above zero.
    """
    seconds = -1.0
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and _DURATION.match(value.strip().lower()):
        spans = _SPAN.findall(value.lower())
        if all(unit in _SECONDS for _, unit in spans):
            seconds = sum(float(number) * _SECONDS[unit] for number, unit in spans)
    if not 0 < seconds < float("inf"):
        hint = "seconds, or a text such as '45min', '2h' or '1d12h'"
        raise UsageError(f"{value!r} is no duration", hint=hint)
    return seconds


def _check_count(value: object, what: str, *, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"{what} is {value!r}", hint=f"a whole number from {least} on")
