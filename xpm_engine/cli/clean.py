"""``xpm clean``"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from xpm_engine.cli.options import job_argument, json_option, print_json, workspace_option
from xpm_engine.errors import UsageError

if TYPE_CHECKING:
    from xpm_engine.verbs.clean import RemovalPlan, RemovalRow, Transaction

MOST_NAMES = 3
"""Jobs named of those that were made from one; the others are counted."""


@click.command(name="clean")
@job_argument(many=True)
@click.option("-n", "--dry-run", is_flag=True, help="Show the plan; move nothing.")
@click.option("-y", "--yes", is_flag=True, help="Carry the plan out without asking.")
@json_option
@workspace_option
def command(
    *, jobs: tuple[str, ...], dry_run: bool, yes: bool, as_json: bool, workspace: str | None
) -> None:
    """Move jobs to the trash, from where `xpm undo` takes them back.

    Shows first what would be moved, its size and who needs it. A job that runs, is pinned, or is
    needed by a run that goes on stays where it is.
    """
    from xpm_engine.verbs.clean import carry_out, measure, moved_sentence, plan_removal
    from xpm_engine.verbs.find import find_jobs
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.verbs.words import plain

    paths = find_workspace(workspace)
    plan = measure(paths, plan_removal(paths, find_jobs(paths, jobs)))
    if not as_json:
        _show(plan)
    if dry_run or not plan.ready:
        if as_json:
            print_json({"plan": [_row_json(plan, row) for row in plan.rows]})
        return
    if not yes:
        _ask(len(plan.ready))
    done = carry_out(paths, plan)
    if as_json:
        print_json(_done_json(plan, done))
        return
    planned = {row.key for row in plan.ready}
    for left in done.left:
        if left.key in planned:
            click.echo(f"  left {left.key.task}/{left.key.short}: {plain(left.why)}")
    click.echo(moved_sentence(done))
    if done.removals:
        click.echo(f"take it back: xpm undo {done.name}")


def _show(plan: RemovalPlan) -> None:
    from xpm_engine.verbs.words import plain, plural, size

    for row in plan.rows:
        tags = " ".join(f"{plain(name)}={plain(value)}" for name, value in row.job.tags.items())
        bytes_ = "" if row.size is None else size(row.size)
        name = f"{row.key.task}/{row.key.short}"
        parts = (name, row.job.state.value, tags, bytes_)
        sign = "-" if row.refused else "x"
        click.echo(f"  [{sign}] " + "  ".join(filter(None, parts)))
        if row.refused:
            click.echo(f"      stays: {plain(row.refused)}")
        needed = [need for need in plan.needed_by(row) if not need.live]
        if needed:
            names = [f"{need.job.task}/{need.job.short}" for need in needed if need.job is not None]
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            click.echo(f"      needed by {', '.join(names[:MOST_NAMES])}{more}")
    for doubt in plan.doubts:
        click.echo(f"  ? can't be read, and may need one of them: {plain(doubt)}")
    total = "" if plan.size is None else f", {size(plan.size)}"
    click.echo(f"{plural(len(plan.ready), 'job')} of {len(plan.rows)} to the trash{total}")


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            "nothing was moved: there is nobody to ask",
            hint="add --yes to carry the plan out, or --dry-run to look at it",
        )
    click.confirm(f"Move {count} to the trash?", abort=True)


def _row_json(plan: RemovalPlan, row: RemovalRow) -> dict[str, Any]:
    return {
        "task": row.key.task,
        "id": row.key.identifier,
        "state": row.job.state.value,
        "tags": dict(row.job.tags),
        "bytes": row.size,
        "needed_by": [need.name for need in plan.needed_by(row)],
        "stays": row.refused or None,
    }


def _done_json(plan: RemovalPlan, done: Transaction) -> dict[str, Any]:
    return {
        "plan": [_row_json(plan, row) for row in plan.rows],
        "transaction": done.name if done.removals else None,
        "moved": [str(removal.key) for removal in done.removals],
        "left": [{"job": str(left.key), "why": left.why} for left in done.left],
    }
