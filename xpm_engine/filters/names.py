"""What a name in a filter stands for: a field, else a tag, else a parameter, else a metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum

from xpm_engine.filters.values import Measure

TAG = "tag."
PARAM = "param."
METRIC = "metric."


class Kind(Enum):
    """What the values of a field are, and so what they can be compared with."""

    TEXT = "text"
    COUNT = "a number: attempt>1"
    SHARE = "between 0 and 1: progress>50%"
    DURATION = "a duration: time>2h"
    AGE = "a duration: age>30d"
    """The column holds the moment that it counts from, in seconds since 1970."""
    SIZE = "a size: size>1GB"
    MOMENT = "a date: ended>=2026-11-20, started:today"
    FLAG = "one of the marks of a job: is:live"

    @property
    def measures(self) -> frozenset[Measure]:
        """What a number compared with it may count; none at all for text."""
        return _MEASURES[self]


_MEASURES: Mapping[Kind, frozenset[Measure]] = {
    Kind.TEXT: frozenset(),
    Kind.COUNT: frozenset((Measure.PLAIN,)),
    Kind.SHARE: frozenset((Measure.PLAIN, Measure.SHARE)),
    Kind.DURATION: frozenset((Measure.PLAIN, Measure.SECONDS)),
    Kind.AGE: frozenset((Measure.PLAIN, Measure.SECONDS)),
    Kind.SIZE: frozenset((Measure.PLAIN, Measure.BYTES)),
    Kind.MOMENT: frozenset((Measure.MOMENT,)),
    Kind.FLAG: frozenset(),
}


@dataclass(frozen=True)
class Field:
    """A name that every job has."""

    kind: Kind
    help: str
    """What it is, in a few words."""


FIELDS: Mapping[str, Field] = {
    "id": Field(Kind.TEXT, "the identifier"),
    "task": Field(Kind.TEXT, "the task's name, whole or its last part"),
    "state": Field(Kind.TEXT, "waiting, running, done, failed …"),
    "is": Field(Kind.FLAG, "live, reused, drifted, pinned, obsolete, marked, mine"),
    "exp": Field(Kind.TEXT, "the experiments it belongs to"),
    "run": Field(Kind.TEXT, "the runs it belongs to"),
    "reason": Field(Kind.TEXT, "why it ended badly, or waits"),
    "cause": Field(Kind.TEXT, "the exception's type and the line of your code"),
    "host": Field(Kind.TEXT, "the machine it runs or ran on"),
    "launcher": Field(Kind.TEXT, "what started it"),
    "owner": Field(Kind.TEXT, "the user it runs or ran as"),
    "attempt": Field(Kind.COUNT, "the number of its last attempt"),
    "progress": Field(Kind.SHARE, "how far it says it is"),
    "time": Field(Kind.DURATION, "how long the last attempt took, or takes so far"),
    "wait": Field(Kind.DURATION, "how long it waited, or waits so far, to start"),
    "age": Field(Kind.AGE, "how long ago it ended, or else started"),
    "size": Field(Kind.SIZE, "what its folder takes on the disk"),
    "started": Field(Kind.MOMENT, "when the last attempt started"),
    "ended": Field(Kind.MOMENT, "when the last attempt ended"),
    "needs": Field(Kind.TEXT, "the jobs it is made from"),
    "neededby": Field(Kind.TEXT, "the jobs and experiments that need it"),
}

FLAGS = ("live", "reused", "drifted", "pinned", "obsolete", "marked", "mine")
"""What ``is:`` asks for; each is a column of its own, ``is.live``."""


def flag_column(flag: str) -> str:
    """The name of the column of one flag."""
    return f"is.{flag}"


def resolve(name: str, known: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """The columns that a name which is no field stands for, the ones that come first first.

    `known` are the names of a table; those that count are qualified: ``tag.ranker``,
    ``param.model.lr``, ``metric.mrr``. Of the groups that are returned, a job is asked by the first
    of which it has any column: so what a filter says of a job rests on that job alone. Empty for an
    unknown name.
    """
    wanted = name.casefold()
    forced = wanted.startswith((TAG, PARAM, METRIC))
    groups: dict[str, list[str]] = {TAG: [], PARAM: [], METRIC: []}
    for column in known:
        prefix, end = _split(column)
        if prefix not in groups or (forced and not wanted.startswith(prefix)):
            continue
        path = wanted[len(prefix) :] if forced else wanted
        folded = end.casefold()
        if folded == path or (prefix == PARAM and folded.endswith("." + path)):
            groups[prefix].append(column)
    return tuple(tuple(group) for group in groups.values() if group)


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The name that was perhaps meant."""
    forced = name.casefold().startswith((TAG, PARAM, METRIC))
    names: dict[str, None] = dict.fromkeys(() if forced else FIELDS)
    for column in known:
        prefix, end = _split(column)
        if prefix not in (TAG, PARAM, METRIC):
            continue
        names[column if forced else end] = None
        if prefix == PARAM and not forced:
            names[end.rpartition(".")[2]] = None
    cutoff = 0.5 if len(name) < 4 else 0.6  # rl for lr
    close = get_close_matches(name, names, n=1, cutoff=cutoff)
    return close[0] if close else None


def _split(column: str) -> tuple[str, str]:
    prefix, _, end = column.partition(".")
    return prefix + ".", end
