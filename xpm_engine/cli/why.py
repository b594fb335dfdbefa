"""``xpm why``"""

from __future__ import annotations

import click

from xpm_engine.cli.options import job_argument, json_option, print_json, workspace_option


@click.command(name="why")
@job_argument(many=False)
@json_option
@workspace_option
def command(*, job: str, as_json: bool, workspace: str | None) -> None:
    """Say why a job ran, or will run: what is new in it, followed upstream to where it began.

    It is compared with the earlier job of its task that it shares most with.
    """
    from xpm_engine.verbs.jobs.find import find_job
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.verbs.why import why
    from xpm_engine.words import plain

    paths = find_workspace(workspace)
    key = find_job(paths, job)
    found = why(paths, key)
    if as_json:
        print_json(found.to_json())
        return
    click.echo(f"{key.task}/{key.short}: {plain(found.text)}")
    if len(found.lines) > 1:
        for line in found.lines:
            click.echo("  " + plain(line))
