"""The metrics of a job as curves, from the end of its ``metrics.jsonl``."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from xpm_engine.workspace.records.metrics import parse_metrics
from xpm_tui.look.plot import HUGE

MAX_BYTES = 4_000_000
"""The end of the file that is read: a curve of a few dozen cells needs no more."""

BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Series:
    """The values of one metric, in the order in which they were told."""

    name: str
    values: tuple[float, ...]
    steps: tuple[float | None, ...] = ()
    """The step of each value, as far as it was told one."""

    @property
    def last(self) -> float:
        return self.values[-1]

    @property
    def points(self) -> list[tuple[float, float]]:
        """By step; by place where not every value has one."""
        steps = [step for step in self.steps if step is not None and math.isfinite(step)]
        if len(steps) == len(self.values):
            return list(zip(steps, self.values, strict=True))
        return [(float(place), value) for place, value in enumerate(self.values, start=1)]

    @property
    def stepped(self) -> bool:
        """Whether every value has a step."""
        return len(self.steps) == len(self.values) and None not in self.steps


@dataclass(frozen=True)
class MetricsRead:
    """What was found in the file."""

    series: tuple[Series, ...] = ()
    bad_lines: int = 0
    cut: bool = False
    """Whether the file is longer than what was read of its end."""
    problem: str = ""
    earlier: int = 0
    """Values of other attempts, which were left out."""


def read_metrics(
    path: str, *, attempt: int | None = None, max_bytes: int = MAX_BYTES
) -> MetricsRead:
    """Read the end of a file of metrics, of one attempt if told; an absent file holds none."""
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
    told = [each for each in found.values if attempt is None or each.attempt == attempt]
    values: dict[str, list[float]] = {}
    steps: dict[str, list[float | None]] = {}
    for each in told:
        values.setdefault(each.name, []).append(each.value)
        steps.setdefault(each.name, []).append(each.step)
    series = tuple(Series(name, tuple(of), tuple(steps[name])) for name, of in values.items())
    return MetricsRead(series, found.bad, cut, earlier=len(found.values) - len(told))


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


def sparkline(values: Sequence[float]) -> str:
    """A block a value, from nothing to the highest of them."""
    top = max(values, default=0.0)
    if top <= 0:
        return BLOCKS[0] * len(values)
    last = len(BLOCKS) - 1
    return "".join(BLOCKS[min(last, int(max(0.0, value) / top * last + 0.5))] for value in values)


def _parts(values: Sequence[float], count: int) -> list[Sequence[float]]:
    edges = [len(values) * place // count for place in range(count + 1)] if count else []
    return [values[left:right] for left, right in pairwise(edges)]


def _mean(values: Sequence[float]) -> float | None:
    finite = [min(max(value, -HUGE), HUGE) for value in values if math.isfinite(value)]
    return math.fsum(finite) / len(finite) if finite else None
