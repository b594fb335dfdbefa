"""``xpm ids``"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from xpm_engine.cli.options import json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xpm_engine.plan.preview import PreviewJob
    from xpm_engine.verbs.ids import IdsReport

CHANGED = 3
"""Exit code of a check that says no."""

MOST_LINES = 50
"""Changed jobs that are listed; the others are counted."""


@click.group(name="ids")
def command() -> None:
    """Keep a plan's identifiers in a file, and check that a change of code leaves them alone.

    The file belongs under version control; a check of it belongs in continuous integration.
    """


@command.command(name="snapshot")
@click.argument("plan", metavar="PLAN.py", type=click.Path())
@click.argument("arguments", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("-o", "--output", metavar="FILE", help="By default PLAN.ids.json, beside the plan.")
@json_option
def snapshot(*, plan: str, arguments: tuple[str, ...], output: str | None, as_json: bool) -> None:
    """Write the identifiers of a plan's jobs, and what they are made from. Runs nothing."""
    from xpm_engine.config.arguments import parse_arguments
    from xpm_engine.verbs.ids import lock_of, save_lock
    from xpm_engine.words import plain, plural

    pairs = parse_arguments(arguments)
    lock = lock_of([job.order for job in _preview(plan, pairs)], pairs)
    path = output or _default_file(plan)
    save_lock(lock, os.path.abspath(path))
    if as_json:
        print_json({"file": path, "jobs": [str(job.key) for job in lock.jobs]})
    else:
        click.echo(f"{plain(path)}: {plural(len(lock.jobs), 'job')}")


@command.command(name="check")
@click.argument("plan", metavar="PLAN.py", type=click.Path())
@click.argument("arguments", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--file", metavar="FILE", help="By default PLAN.ids.json, beside the plan.")
@json_option
@click.pass_context
def check(
    context: click.Context,
    *,
    plan: str,
    arguments: tuple[str, ...],
    file: str | None,
    as_json: bool,
) -> None:
    """Say which identifiers are no longer as in the file, why, and what that strands.

    Without NAME=VALUE pairs the plan is given those of the file. Exits with 3 if anything has
    changed. Runs nothing.
    """
    from xpm_engine.config.arguments import parse_arguments
    from xpm_engine.verbs.ids import check as check_ids
    from xpm_engine.verbs.ids import load_lock

    lock = load_lock(os.path.abspath(file or _default_file(plan)))
    jobs = _preview(plan, parse_arguments(arguments) or dict(lock.arguments))
    report = check_ids(lock, [job.order for job in jobs], [job.workspace for job in jobs])
    if as_json:
        print_json(report.to_json())
    else:
        _show(report)
    if not report.ok:
        context.exit(CHANGED)


def _preview(plan: str, arguments: Mapping[str, str]) -> tuple[PreviewJob, ...]:
    from xpm_engine.cli.frames import telling_the_users_frames
    from xpm_engine.cli.plan import tell_stopped
    from xpm_engine.plan.preview import preview_plan

    with telling_the_users_frames():
        preview = preview_plan(plan, arguments)
    tell_stopped(plan, preview.stopped)
    return preview.jobs


def _default_file(plan: str) -> str:
    return os.path.splitext(plan)[0] + ".ids.json"


def _show(report: IdsReport) -> None:
    from xpm_engine.words import plain, plural, size

    if report.ok:
        click.echo(f"{plural(report.same, 'identifier')} as in the file")
        return
    for each in report.changes[:MOST_LINES]:
        tags = " ".join(f"{name}={value}" for name, value in each.tags.items())
        click.echo("  " + plain(each.text() + (f"  [{tags}]" if tags else "")))
    if len(report.changes) > MOST_LINES:
        click.echo(f"  … {len(report.changes) - MOST_LINES:,} more")
    if len(report.changes) > 1:
        for text, count in report.reasons[:MOST_LINES]:
            click.echo(f"{plain(text)}: {plural(count, 'job')}")
    click.echo(f"{len(report.changes):,} changed, {report.same:,} the same")
    if report.stranded:
        results = plural(len(report.stranded), "finished result")
        click.echo(f"strands {results}, {size(report.size)}")
