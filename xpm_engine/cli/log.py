"""``xpm log``"""

from __future__ import annotations

import click

from xpm_engine.cli.options import job_argument, workspace_option

FOLLOWED = 10
"""Lines from before that -f begins with."""


@click.command(name="log")
@job_argument(many=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the job ends.")
@click.option("-n", "--lines", type=click.IntRange(min=0), help="The last lines only.")
@click.option("--stdout", "stream", flag_value="stdout", help="What it wrote to standard output.")
@click.option("--stderr", "stream", flag_value="stderr", help="What it wrote to standard error.")
@click.option("--attempt", type=click.IntRange(min=1), help="An earlier attempt's, by number.")
@workspace_option
def command(
    *,
    job: str,
    follow: bool,
    lines: int | None,
    stream: str | None,
    attempt: int | None,
    workspace: str | None,
) -> None:
    """Print what a job wrote: all of it, or with -f its end and what comes.

    Without --stdout or --stderr: standard error of a job that ended badly, else the one that was
    written last.
    """
    from xpm_engine.verbs.jobs.find import find_job
    from xpm_engine.verbs.logs import Stream, follow_lines, log_path, read_lines, shown_path
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.workspace.logs import LogEvent

    paths = find_workspace(workspace)
    key = find_job(paths, job)
    chosen = None if stream is None else Stream(stream)
    path = log_path(paths, key, stream=chosen, attempt=attempt)
    click.echo(f"==> {shown_path(path)} <==", err=True)
    if not follow:
        for line in read_lines(path, last=lines):
            click.echo(line.text)
        return
    for item in follow_lines(paths, key, path, last=FOLLOWED if lines is None else lines):
        if isinstance(item, LogEvent):
            click.echo(f"==> {item.value} <==", err=True)
        else:
            click.echo(item.text)
