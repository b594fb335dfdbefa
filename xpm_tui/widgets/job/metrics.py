"""The metrics of a job: of each the last value, the lowest, the highest, and its curve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rich.text import Text
from textual.app import ComposeResult

from xpm_tui import look
from xpm_tui.facts.metrics import MetricsRead, Series, curve, read_metrics
from xpm_tui.look.plot import plot
from xpm_tui.widgets.lines import READING, Line, Lines
from xpm_tui.widgets.reading import ReadingWidget

NAME = 20
VALUE = 12
AXIS = 11
"""Cells of the numbers left of a curve."""

CURVE = 48
"""Cells of a curve that has one line only."""

WIDEST = 120

MANY = 6
"""Metrics from which on each has one line, and no curve of several."""


@dataclass(frozen=True)
class MetricsOf:
    """A job's file of metrics, the attempt it is about, and the last values its end recorded."""

    path: str
    last: Mapping[str, float] = field(default_factory=dict[str, float])
    attempt: int | None = None
    """None: of all attempts."""


class MetricsView(ReadingWidget[MetricsOf, MetricsRead]):
    """The fourth tab of a job."""

    def compose(self) -> ComposeResult:
        yield Lines()

    def same(self, before: MetricsOf, now: MetricsOf) -> bool:
        return (before.path, before.attempt) == (now.path, now.attempt)

    def read(self, about: MetricsOf) -> MetricsRead:
        return read_metrics(about.path, attempt=about.attempt)

    def draw(self, about: MetricsOf, facts: MetricsRead | None) -> None:
        width = max(40, self.size.width - 2)
        lines = READING if facts is None else metrics_lines(about, facts, width=width)
        self.query_one(Lines).show(lines, from_top=facts is None)

    def on_resize(self) -> None:
        if self.about is not None:
            self.draw(self.about, self.facts)


def metrics_lines(about: MetricsOf, found: MetricsRead, *, width: int = 78) -> tuple[Line, ...]:
    """A few lines a metric; one line each where there are many."""
    lines: list[Line] = []
    if found.problem:
        lines.append(Line(Text(look.plain(found.problem), "xpm.bad")))
    known = {series.name for series in found.series}
    alone = {name: value for name, value in about.last.items() if name not in known}
    many = len(found.series) > MANY
    for series in found.series:
        lines += [_one_line(series)] if many else _block(series, len(found.series), width)
    lines += [Line(_head(name, value)) for name, value in alone.items()]
    if not lines:
        lines.append(Line(Text("this job has told no metric", "xpm.faint")))
    notes: list[str] = []
    if found.earlier:
        values = look.plural(found.earlier, "value")
        notes.append(f"{values} of earlier attempts are not shown")
    if found.cut:
        notes.append("the file is long: curves show its end")
    if found.bad_lines:
        notes.append(f"{look.plural(found.bad_lines, 'line')} could not be read")
    lines += [Line(Text(note, "xpm.faint")) for note in notes]
    return tuple(lines)


def _head(name: str, last: float) -> Text:
    line = Text().append_text(look.cut(Text(look.plain(name), "xpm.title"), NAME))
    return line.append(f"{last:>{VALUE}.6g}", "bold")


def _one_line(series: Series) -> Line:
    line = _head(series.name, series.last).append("  ")
    return Line(line.append(curve(series.values, CURVE), "xpm.running"))


def _block(series: Series, among: int, width: int) -> Iterator[Line]:
    """Name, last, lowest and highest value; then the curve over its steps."""
    head = _head(series.name, series.last)
    points = series.points
    if len(points) < 2:
        yield Line(head.append(_at(series, points[-1][0]), "xpm.faint"))
        return
    finite = [point for point in points if math.isfinite(point[1])]
    head.append(_at(series, points[-1][0]), "xpm.faint")
    if finite:
        yield Line(head.append(_range_words(series, finite, width - head.cell_len), "xpm.faint"))
    else:
        yield Line(head)
    height = 6 if among <= 2 else 4
    drawn = plot(points, max(8, min(WIDEST, width - AXIS - 1)), height)
    for number, dots in enumerate(drawn):
        label = ""
        if finite and number in (0, height - 1):
            extreme = (max if number == 0 else min)(value for _, value in finite)
            label = f"{extreme:.4g}"
        line = Text(label.rjust(AXIS) + " ", "xpm.faint")
        yield Line(line.append(dots, "xpm.running"))
    first, last = (_axis(series, points[place][0]) for place in (0, -1))
    gap = max(2, len(drawn[0]) - len(first) - len(last))
    yield Line(Text(" " * (AXIS + 1) + first + " " * gap + last, "xpm.faint"))
    yield Line(Text())


def _range_words(series: Series, finite: Sequence[tuple[float, float]], room: int) -> str:
    """The lowest and the highest value; where they were, if there is room."""
    words = short = ""
    for word, pick in (("lowest", min), ("highest", max)):
        where, value = pick(finite, key=lambda point: point[1])
        short += f"  {word} {value:.4g}"
        words += f"  {word} {value:.5g}{_at(series, where)}"
    return words if len(words) <= room else short


def _at(series: Series, where: float) -> str:
    return f" at {_axis(series, where)}" if series.stepped else ""


def _axis(series: Series, where: float) -> str:
    return f"step {where:g}" if series.stepped else f"value {where:g}"
