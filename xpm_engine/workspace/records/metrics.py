"""metrics.jsonl: what a task measured, a line a value, appended by the task itself.

A value is ``{v, t, n, name, value, step}``. JSON has no NaN and no infinity: they are the texts
``NaN``, ``Infinity`` and ``-Infinity``. Now and then a line ``{v, t, n, last: {name: value}}``
repeats the last value of every metric of its attempt, so that the end of a file of any length
tells them all.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union, cast

from xpm_engine.workspace.records.fields import VERSION

REPEAT_EVERY = 131072
"""Bytes of values after which the writer repeats the last ones."""

TAIL = 4 * REPEAT_EVERY
"""Bytes at the end of a file in which every metric stands at least once."""

MAX_NAME = 200
"""Characters in the name of a metric."""

_MAX_REPEATED = 3000
"""Bytes of values in a line that repeats them: the line stays under a page."""


@dataclass(frozen=True)
class Metric:
    """One value."""

    name: str
    value: float
    step: Optional[float]
    at: str
    attempt: int


@dataclass(frozen=True)
class MetricLines:
    """What a piece of the file holds."""

    values: Tuple[Metric, ...] = ()
    bad: int = 0
    """Lines that are none of ours."""


def metric_line(
    name: str, value: float, step: Union[int, float, None], *, at: str, attempt: int
) -> str:
    """A value as a line of the file, its end included; a step must be finite."""
    number = repr(value) if math.isfinite(value) else json.dumps(number_to_json(value))
    where = "null" if step is None else repr(step)
    return (
        f'{{"v":{VERSION},"t":"{at}","n":{attempt},"name":{_quoted(name)},'
        f'"value":{number},"step":{where}}}\n'
    )


def repeat_lines(last: Dict[str, float], *, at: str, attempt: int) -> Iterator[str]:
    """The lines that repeat the last values, few enough in each that it stays under a page."""
    part: List[str] = []
    size = 0
    head = f'{{"v":{VERSION},"t":"{at}","n":{attempt},"last":{{'
    for name, value in last.items():
        text = f"{_quoted(name)}:{json.dumps(number_to_json(value))}"
        if part and size + len(text) > _MAX_REPEATED:
            yield head + ",".join(part) + "}}\n"
            part, size = [], 0
        part.append(text)
        size += len(text) + 1
    if part:
        yield head + ",".join(part) + "}}\n"


def parse_metrics(data: bytes) -> MetricLines:
    """The values in whole lines of the file, in their order."""
    values: List[Metric] = []
    bad = 0
    for item in _items(data):
        metric = None if item is None else _metric(item)
        if metric is not None:
            values.append(metric)
        elif item is None or not isinstance(item.get("last"), dict):
            bad += 1
    return MetricLines(tuple(values), bad)


def last_values(data: bytes, *, attempt: int) -> Dict[str, float]:
    """The last value of each metric of an attempt, from the end of the file.

    An unfinished line at the beginning or the end of `data` is passed over.
    """
    found: Dict[str, float] = {}
    for item in _items(data):
        if item is None or item.get("n") != attempt:
            continue
        metric = _metric(item)
        if metric is not None:
            found[metric.name] = metric.value
        else:
            found.update(numbers_from_json(item.get("last")))
    return found


def number_to_json(value: float) -> Union[float, str]:
    """A number as JSON can hold it."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def numbers_to_json(values: Dict[str, float]) -> Dict[str, Union[float, str]]:
    """Named numbers as JSON can hold them."""
    return {name: number_to_json(value) for name, value in values.items()}


def numbers_from_json(data: Any) -> Dict[str, float]:
    """The named numbers in what `numbers_to_json` made; anything else in it is left out."""
    found: Dict[str, float] = {}
    named = cast("Dict[str, Any]", data) if isinstance(data, dict) else {}
    for name, value in named.items():
        number = _number(value)
        if number is not None:
            found[name] = number
    return found


def _items(data: bytes) -> "Iterator[Optional[Dict[str, Any]]]":
    """The JSON objects in the lines; None for a line that holds none."""
    for line in data.splitlines():
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            item = None
        yield item if isinstance(item, dict) else None


def _metric(item: Dict[str, Any]) -> Optional[Metric]:
    name, value, at, attempt = item.get("name"), _number(item.get("value")), item.get("t"), 0
    if not isinstance(name, str) or value is None:
        return None
    if isinstance(item.get("n"), int):
        attempt = item["n"]
    step = _number(item.get("step"))
    return Metric(name, value, step, at if isinstance(at, str) else "", attempt)


def _number(value: Any) -> Optional[float]:
    if isinstance(value, str):
        return float(value) if value in ("NaN", "Infinity", "-Infinity") else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@lru_cache(maxsize=4096)
def _quoted(name: str) -> str:
    return json.dumps(name)
