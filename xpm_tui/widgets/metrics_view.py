"""The metrics of a job: the last value of each, and its curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.text import Text
from textual.app import ComposeResult

from xpm_tui import look
from xpm_tui.metrics import MetricsRead, curve, read_metrics
from xpm_tui.widgets.lines import READING, Line, Lines
from xpm_tui.widgets.reading import ReadingWidget

NAME = 20
VALUE = 12
RANGE = 24
CURVE = 48


@dataclass(frozen=True)
class MetricsOf:
    """A job's file of metrics, and the last values that its end recorded."""

    path: str
    last: Mapping[str, float] = field(default_factory=dict[str, float])


class MetricsView(ReadingWidget[MetricsOf, MetricsRead]):
    """The fourth tab of a job."""

    def compose(self) -> ComposeResult:
        yield Lines()

    def same(self, before: MetricsOf, now: MetricsOf) -> bool:
        return before.path == now.path

    def read(self, about: MetricsOf) -> MetricsRead:
        return read_metrics(about.path)

    def draw(self, about: MetricsOf, facts: MetricsRead | None) -> None:
        lines = READING if facts is None else metrics_lines(about, facts)
        self.query_one(Lines).show(lines, from_top=facts is None)


def metrics_lines(about: MetricsOf, found: MetricsRead) -> tuple[Line, ...]:
    """A line a metric: its name, its last value, its range and its curve."""
    lines: list[Line] = []
    if found.problem:
        lines.append(Line(Text(look.plain(found.problem), "xpm.bad")))
    known = {series.name for series in found.series}
    rows = [
        _row(series.name, series.last, series.values, series.last_step) for series in found.series
    ]
    rows += [_row(name, value) for name, value in about.last.items() if name not in known]
    if not rows and not found.problem:
        return (Line(Text("this job has told no metric", "xpm.faint")),)
    head = f"{'metric':<{NAME}}{'last':>{VALUE}}  {'lowest … highest':<{RANGE}}"
    lines += [Line(Text(head, "xpm.title")), *rows]
    notes: list[str] = []
    if found.cut:
        notes.append("the file is long: curves show its end")
    if found.bad_lines:
        notes.append(f"{look.plural(found.bad_lines, 'line')} could not be read")
    lines += [Line(Text(note, "xpm.faint")) for note in notes]
    return tuple(lines)


def _row(name: str, last: float, values: tuple[float, ...] = (), step: float | None = None) -> Line:
    line = Text().append_text(look.cut(Text(look.plain(name)), NAME))
    line.append(f"{last:>{VALUE}.6g}", "xpm.title")
    spread = f"{min(values):.4g} … {max(values):.4g}" if len(values) > 1 else ""
    line.append(f"  {spread:<{RANGE}}", "xpm.faint")
    line.append(curve(values, CURVE) if len(values) > 1 else "", "xpm.running")
    if step is not None:
        line.append(f"  step {step:g}", "xpm.faint")
    return Line(line)
