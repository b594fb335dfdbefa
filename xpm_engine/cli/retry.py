"""``xpm retry``"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from xpm_engine.cli.options import chosen_argument, json_option, print_json, workspace_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xpm_engine.verbs.retry import RetryJob, RetryPlan
    from xpm_engine.verbs.starting import StartedRetry

NOTHING_RETRIED = 3
"""Exit code where something was asked for, and none of it can be run again."""

MAX_LISTED = 20


@click.command(name="retry")
@chosen_argument
@click.option("--dry-run", is_flag=True, help="Say what would run; start nothing.")
@click.option(
    "--assume-dead",
    is_flag=True,
    help="Take jobs that can't be asked from here for dead: you know that their machine is down.",
)
@click.option("--cpus", type=int, help="Cores for these jobs, from now on.")
@click.option("--memory", metavar="SIZE", help="Memory for these jobs: 16GiB.")
@click.option("--gpus", type=int, help="GPUs for these jobs.")
@click.option("--time", "time_limit", metavar="TIME", help="Time limit for these jobs: 2h.")
@json_option
@workspace_option
@click.pass_context
def command(
    context: click.Context,
    *,
    jobs: tuple[str, ...],
    dry_run: bool,
    assume_dead: bool,
    cpus: int | None,
    memory: str | None,
    gpus: int | None,
    time_limit: str | None,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Run jobs again that ended badly, and what is blocked behind them.

    A filter says which: xpm retry 'reason~memory' --memory 32GiB. Without one, all that failed or
    died in the latest runs. They run by themselves, in the background, from what is stored with
    them: no plan has to be alive, or is read again.
    """
    from xpm_engine.verbs.jobs.selecting import chosen_jobs
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.verbs.retry import RETRYABLE, ResourceChanges, plan_retry
    from xpm_engine.verbs.starting import start_retry
    from xpm_engine.workspace.records.states import JobState

    paths = find_workspace(workspace)
    states = {*RETRYABLE, JobState.UNREACHABLE} if assume_dead else RETRYABLE
    keys = chosen_jobs(paths, jobs or ("state:failed,died",), states=states)
    changes = ResourceChanges(cpus, memory, gpus, time_limit)
    plan = plan_retry(paths, keys, assume_dead=assume_dead, changes=changes)
    started = () if dry_run or not plan.jobs else start_retry(plan)
    if as_json:
        print_json({**_plan_json(plan), "runs": _runs_json(started)})
    else:
        _print_plan(plan, started)
    if keys and not plan.again and not plan.dependants:
        context.exit(NOTHING_RETRIED)


def _print_plan(plan: RetryPlan, started: Sequence[StartedRetry]) -> None:
    from xpm_engine.verbs.retry_outline import Role
    from xpm_engine.words import plain, plural

    shown = [job for job in plan.jobs if job.role is not Role.FOLLOWED]
    names = [_name(job) for job in shown[:MAX_LISTED]]
    width = max(map(len, names), default=0)
    for job, name in zip(shown, names, strict=False):
        click.echo(f"  {job.role.value:<9}  {name:<{width}}  {plain(job.why)}".rstrip())
    if len(shown) > MAX_LISTED:
        roles = Counter(job.role.value for job in shown[MAX_LISTED:])
        click.echo("  … and " + ", ".join(f"{n} {role}" for role, n in roles.items()))
    for refusal in plan.refused[:MAX_LISTED]:
        name = f"{refusal.key.task}/{refusal.key.short}"
        click.echo(f"not retried: {name}: {plain(refusal.text)}", err=True)
    if len(plan.refused) > MAX_LISTED:
        click.echo(f"… and {len(plan.refused) - MAX_LISTED} more are not retried", err=True)
    if not shown:
        click.echo("there is nothing to retry", err=True)
    for run in started:
        jobs = plural(len(run.jobs), "job")
        click.echo(f"{run.run}: {jobs}, by process {run.pid} in the background")


def _name(job: RetryJob) -> str:
    from xpm_engine.words import plain

    tags = plain(" ".join(f"{name}={value}" for name, value in job.order.tags.items()))
    return f"{job.key.task}/{job.key.short}  {tags}"


def _plan_json(plan: RetryPlan) -> dict[str, Any]:
    from xpm_engine.verbs.retry_outline import refusal_to_json, row_to_json

    return {
        "jobs": list(map(row_to_json, plan.jobs)),
        "refused": list(map(refusal_to_json, plan.refused)),
    }


def _runs_json(started: Sequence[StartedRetry]) -> list[dict[str, Any]]:
    return [
        {"run": run.run, "pid": run.pid, "jobs": [str(key) for key in run.jobs]} for run in started
    ]
