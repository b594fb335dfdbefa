"""``xpm pin``"""

from __future__ import annotations

import click

from xpm_engine.cli.options import chosen_argument, json_option, print_json, workspace_option


@click.command(name="pin")
@chosen_argument
@click.option("--why", default="", metavar="TEXT", help="For people, kept with the pin.")
@click.option("-n", "--dry-run", is_flag=True, help="Say which jobs; change nothing.")
@json_option
@workspace_option
def command(
    *, jobs: tuple[str, ...], why: str, dry_run: bool, as_json: bool, workspace: str | None
) -> None:
    """Keep jobs, and what they are made from, out of every clean until `xpm unpin`."""
    from xpm_engine.verbs.cleaning.pins import pin, pinned_jobs
    from xpm_engine.verbs.jobs.selecting import chosen_jobs
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.words import plural
    from xpm_engine.workspace.records.states import JobState

    if not jobs:
        raise click.UsageError("say which jobs: their names, or a filter.")
    paths = find_workspace(workspace)
    keys = chosen_jobs(paths, jobs, states=frozenset(JobState) - {JobState.NOT_SUBMITTED})
    before = pinned_jobs(paths, keys)
    changed = [key for key in keys if key not in before] if dry_run else pin(paths, keys, why=why)
    if as_json:
        print_json({"pinned": [str(key) for key in changed], "dry_run": dry_run})
        return
    for key in changed:
        click.echo(f"  {key.task}/{key.short}")
    before_ = len(keys) - len(changed)
    already = f"; {before_} {'was' if before_ == 1 else 'were'} pinned before" if before_ else ""
    click.echo(f"{'would pin' if dry_run else 'pinned'} {plural(len(changed), 'job')}{already}")
