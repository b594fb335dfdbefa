"""``xpm fetch``"""

from __future__ import annotations

import click

from xpm_engine.cli.options import job_argument, workspace_option


@click.command(name="fetch")
@job_argument(many=True)
@click.option(
    "--only", "patterns", multiple=True, metavar="PATTERN", help="Files such as '*.json'."
)
@workspace_option
def command(*, jobs: tuple[str, ...], patterns: tuple[str, ...], workspace: str | None) -> None:
    """Bring the results of jobs here that ran on another host; a filter says which.

    What is here already stays, and a large file goes on where it was cut.
    """
    from xpm_engine.verbs.fetch import fetch_job
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.verbs.selecting import chosen_jobs
    from xpm_engine.workspace.records.states import JobState

    paths = find_workspace(workspace)
    for key in chosen_jobs(paths, jobs, states=frozenset((JobState.DONE,))):
        tally = fetch_job(paths, key, patterns or ("**",))
        rest = f", {tally.left} more there" if tally.left else ""
        size = f"{tally.size / 1e6:.1f} MB"
        click.echo(f"{key.task}/{key.short}: {tally.files} files, {size} here{rest}")
