"""``xpm diff``"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from xpm_engine.cli.options import job_argument, json_option, print_json, workspace_option
from xpm_engine.errors import UsageError

if TYPE_CHECKING:
    from xpm_engine.verbs.diff import JobDiff, Row


@click.command(name="diff")
@job_argument(many=True)
@json_option
@workspace_option
def command(*, jobs: tuple[str, ...], as_json: bool, workspace: str | None) -> None:
    """Say what differs between two jobs: parameters, tags, outcome, durations, metrics."""
    from xpm_engine.verbs.diff import diff
    from xpm_engine.verbs.jobs.find import find_job
    from xpm_engine.verbs.places import find_workspace

    if len(jobs) != 2:
        raise UsageError(f"two jobs are compared, not {len(jobs)}", hint="xpm diff JOB JOB")
    paths = find_workspace(workspace)
    found = diff(paths, find_job(paths, jobs[0]), find_job(paths, jobs[1]))
    if as_json:
        print_json(found.to_json())
    else:
        _show(found)


def _show(found: JobDiff) -> None:
    from xpm_engine.words import duration, plain, size

    texts: dict[str, Callable[[Any], str]] = {
        "seconds": duration,
        "cpu_seconds": duration,
        "peak_bytes": size,
    }
    click.echo(
        f"{found.old.task}/{found.old.short} → {found.new.task}/{found.new.short}"
        + (": nothing differs" if found.same else "")
    )
    lines = [each.text() for each in found.parameters]
    for step in found.upstream:
        margin = "  " * step.depth
        why = [step.problem] if step.problem else [each.text() for each in step.differences]
        lines.append(f"{margin}{step.old.task}: " + "; ".join(why))
    _section("parameters", lines)
    _section("tags", _rows(found.tags, {}))
    _section("outcome", _rows(found.outcome, {}))
    _section("usage", _rows(found.usage, texts))
    _section("metrics", _rows(found.metrics, {}))
    for problem in found.problems:
        click.echo(f"? {plain(problem)}")


def _section(title: str, lines: Sequence[str]) -> None:
    from xpm_engine.words import plain

    if lines:
        click.echo(title)
    for line in lines:
        click.echo("  " + plain(line))


def _rows(rows: Sequence[Row], texts: dict[str, Callable[[Any], str]]) -> list[str]:
    def text(row: Row, value: Any) -> str:
        return "–" if value is None else texts.get(row.name, str)(value)

    # Two durations may differ by less than is shown; of other values the texts say it all.
    telling = [
        row for row in rows if row.name not in texts or text(row, row.old) != text(row, row.new)
    ]
    return [
        f"{row.name.replace('_', ' ') if texts else row.name} "
        f"{text(row, row.old)} → {text(row, row.new)}"
        for row in telling
    ]
