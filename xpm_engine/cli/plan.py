"""``xpm plan``"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

from xpm_engine.cli.options import json_option, print_json

if TYPE_CHECKING:
    from xpm_engine.verbs.forecast import PlanForecast

NOT_CACHED = 3
"""Exit code where ``--assert-cached`` finds something to run."""


@click.command(name="plan")
@click.argument("plan", metavar="PLAN.py", type=click.Path())
@click.argument("arguments", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--assert-cached", is_flag=True, help="Exit with 3 if anything would run.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    *,
    plan: str,
    arguments: tuple[str, ...],
    assert_cached: bool,
    as_json: bool,
) -> None:
    """Say what a plan would run, what it would reuse, and why. Runs nothing, writes nothing."""
    from xpm_engine.cli.frames import telling_the_users_frames
    from xpm_engine.config.arguments import parse_arguments
    from xpm_engine.verbs.forecast import RUNS_NOTHING, forecast_plan

    pairs = parse_arguments(arguments)
    with telling_the_users_frames():
        found = forecast_plan(plan, pairs)
    if as_json:
        rows = [row.to_json() for row in found.rows]
        print_json({"jobs": rows, "stopped": found.stopped})
    else:
        print_forecast(plan, found)
    if assert_cached and any(row.forecast not in RUNS_NOTHING for row in found.rows):
        context.exit(NOT_CACHED)


def print_forecast(plan: str, found: PlanForecast) -> None:
    """A heading an experiment, then a line a job."""
    from xpm_engine.verbs.forecast import counts
    from xpm_engine.words import plain
    from xpm_engine.workspace.settings import LOCAL

    rows = found.rows
    for (experiment, workspace), group in groupby(rows, lambda r: (r.experiment, r.workspace)):
        jobs = list(group)
        click.echo(f"{experiment} in {plain(workspace)}: {counts(jobs)}")
        names = [f"{row.key.task} {row.key.short}" for row in jobs]
        tags = [plain(" ".join(f"{k}={v}" for k, v in row.tags.items())) for row in jobs]
        places = [plain(f"on {row.launcher}") if row.launcher else "" for row in jobs]
        if not any(row.launcher not in ("", LOCAL) for row in jobs):
            places = [""] * len(jobs)
        name_width, place_width = max(map(len, names)), max(map(len, places))
        tag_width = min(40, max(map(len, tags)))
        for row, name, place, tag in zip(jobs, names, places, tags, strict=True):
            line = f"  {row.forecast.value:<10} {name:<{name_width}}"
            line += f"  {place:<{place_width}}" if place_width else ""
            line += f"  {tag:<{tag_width}}"
            click.echo(f"{line}  {plain(row.why)}".rstrip())
    if not rows:
        click.echo("the plan submits nothing", err=True)
    tell_stopped(plan, found.stopped)


def tell_stopped(plan: str, stopped: str) -> None:
    """Say that a plan could not be read to its end, or else what it never looked at."""
    from xpm_engine.cli.frames import tell_never_asked

    if stopped:
        click.echo(
            f"the plan reads results that are not there yet, so far only: {stopped}", err=True
        )
    else:
        tell_never_asked(plan)
