"""The metrics of a job as curves, from the end of its ``metrics.jsonl``."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from xpm_engine.workspace.records.metrics import parse_metrics

MAX_BYTES = 4_000_000
"""The end of the file that is read: a curve of a few dozen cells needs no more."""

BLOCKS = "▁▂▃▄▅▆▇█"

HUGE = 1e300
"""Larger values are drawn as this one, so that their sum and their distance stay finite."""


@dataclass(frozen=True)
class Series:
    """The values of one metric, in the order in which they were told."""

    name: str
    values: tuple[float, ...]
    last_step: float | None = None

    @property
    def last(self) -> float:
        return self.values[-1]


@dataclass(frozen=True)
class MetricsRead:
    """What was found in the file."""

    series: tuple[Series, ...] = ()
    bad_lines: int = 0
    cut: bool = False
    """Whether the file is longer than what was read of its end."""
    problem: str = ""


def read_metrics(path: str, *, max_bytes: int = MAX_BYTES) -> MetricsRead:
    """Read the end of a file of metrics; an absent one holds none."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - max_bytes))
            data = file.read(max_bytes)
    except FileNotFoundError:
        return MetricsRead()
    except OSError as error:
        return MetricsRead(problem=f"{path}: {error.strerror}")
    cut = size > max_bytes
    # The first line of a part may be half a line, and the last one may not be finished yet.
    begin = data.find(b"\n") + 1 if cut else 0
    found = parse_metrics(data[begin : data.rfind(b"\n") + 1])
    values: dict[str, list[float]] = {}
    steps: dict[str, float | None] = {}
    for each in found.values:
        values.setdefault(each.name, []).append(each.value)
        steps[each.name] = each.step
    series = tuple(Series(name, tuple(told), steps[name]) for name, told in values.items())
    return MetricsRead(series, found.bad, cut)


def curve(values: Sequence[float], width: int) -> str:
    """The values as a line of blocks, lowest to highest; as many cells as values, at most `width`.

    Each cell is the mean of the values that fall into it; one without a finite value is blank.
    """
    cells = [_mean(part) for part in _parts(values, min(width, len(values)))]
    known = [cell for cell in cells if cell is not None]
    if not known:
        return " " * len(cells)
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    top = len(BLOCKS) - 1
    return "".join(
        " " if cell is None else BLOCKS[min(top, int((cell - low) / span * (top + 1)))]
        for cell in cells
    )


def _parts(values: Sequence[float], count: int) -> list[Sequence[float]]:
    edges = [len(values) * place // count for place in range(count + 1)] if count else []
    return [values[left:right] for left, right in pairwise(edges)]


def _mean(values: Sequence[float]) -> float | None:
    finite = [min(max(value, -HUGE), HUGE) for value in values if math.isfinite(value)]
    return math.fsum(finite) / len(finite) if finite else None
