"""``xpm unpin``"""

from __future__ import annotations

import click

from xpm_engine.cli.options import chosen_argument, json_option, print_json, workspace_option


@click.command(name="unpin")
@chosen_argument
@click.option("-n", "--dry-run", is_flag=True, help="Say which jobs; change nothing.")
@json_option
@workspace_option
def command(*, jobs: tuple[str, ...], dry_run: bool, as_json: bool, workspace: str | None) -> None:
    """Take the pins of jobs away, so that they may be cleaned again."""
    from xpm_engine.verbs.cleaning.pins import pinned_jobs, unpin
    from xpm_engine.verbs.jobs.selecting import chosen_jobs
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.words import plural
    from xpm_engine.workspace.records.states import JobState

    if not jobs:
        raise click.UsageError("say which jobs: their names, or a filter (is:pinned for all).")
    paths = find_workspace(workspace)
    keys = chosen_jobs(paths, jobs, states=frozenset(JobState) - {JobState.NOT_SUBMITTED})
    changed = sorted(pinned_jobs(paths, keys)) if dry_run else unpin(paths, keys)
    if as_json:
        print_json({"unpinned": [str(key) for key in changed], "dry_run": dry_run})
        return
    for key in changed:
        click.echo(f"  {key.task}/{key.short}")
    click.echo(f"{'would unpin' if dry_run else 'unpinned'} {plural(len(changed), 'job')}")
