"""``xpm kill``"""

from __future__ import annotations

import click

from xpm_engine.cli.options import job_argument, workspace_option


@click.command(name="kill")
@job_argument(many=True)
@click.option("--plan", "plans", is_flag=True, help="Stop the plans that go on with them too.")
@workspace_option
def command(*, jobs: tuple[str, ...], plans: bool, workspace: str | None) -> None:
    """Ask running jobs to stop, and cancel queued ones; a filter says which: exp=drmm lr>0.01

    A task is given 10 seconds to save what it has; then it is ended, with all that it started. A
    plan that goes on would start the next jobs: it is named, and at a terminal you are asked
    whether to stop it too.
    """
    import sys

    from xpm_engine.verbs.jobs.selecting import chosen_jobs
    from xpm_engine.verbs.kill import KILLABLE, kill_job, live_plans, stop_plan
    from xpm_engine.verbs.places import find_workspace

    paths = find_workspace(workspace)
    keys = chosen_jobs(paths, jobs, states=KILLABLE)
    if not keys:
        click.echo("no job there runs or is queued", err=True)
    going_on = live_plans(paths, frozenset(keys))
    if going_on and not plans and sys.stdin.isatty():
        for plan in going_on:
            click.echo(f"plan {plan} goes on, and will start other jobs", err=True)
        them = "it" if len(going_on) == 1 else "them"
        plans = click.confirm(f"Stop {them} too?", default=False, err=True)
    if plans:
        for plan in going_on:
            done = "interrupted" if stop_plan(paths, plan) else "can't be reached from here"
            click.echo(f"plan {plan}: {done}")
    for key in keys:
        report = kill_job(paths, key)
        detail = f" ({report.detail})" if report.detail else ""
        click.echo(f"{key.task}/{key.short}: {report.killed.value}{detail}")
    if going_on and not plans and not sys.stdin.isatty():
        for plan in going_on:
            click.echo(f"plan {plan} goes on, and will start other jobs", err=True)
        click.echo("  next:  xpm kill --plan … stops it too", err=True)
