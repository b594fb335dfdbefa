"""``xpm drift``"""

from __future__ import annotations

import click

from xpm_engine.cli.options import json_option, print_json, workspace_option


@click.command(name="drift")
@click.argument("filter_", metavar="[FILTER]...", nargs=-1)
@click.option("--accept", is_flag=True, help="Use these results as they are.")
@click.option("--rerun", is_flag=True, help="Move them to the trash; the next plan runs them.")
@json_option
@workspace_option
def command(
    *,
    filter_: tuple[str, ...],
    accept: bool,
    rerun: bool,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Results that were made with other defaults than today's: list them, or decide.

    A plan sees drift when it runs (or `xpm plan`, before); here it is decided for all of it, or
    for what a filter selects: xpm drift exp=drmm --accept
    """
    from xpm_engine.verbs import drift
    from xpm_engine.verbs.cleaning.clean import moved_sentence
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.words import plain

    if accept and rerun:
        raise click.UsageError("--accept and --rerun are two different decisions: give one.")
    paths = find_workspace(workspace)
    rows = drift.drifted(paths, filter_)
    if accept:
        drift.accept(paths, rows)
    done = drift.rerun(paths, rows) if rerun and rows else None
    if as_json:
        jobs = [{"job": str(row.key), "changes": list(row.drift)} for row in rows]
        print_json({"jobs": jobs, "accepted": accept, "rerun": rerun})
        return
    for line in drift.summary(rows):
        click.echo(plain(line))
    if not rows:
        click.echo("no run has seen drift there", err=True)
    elif accept:
        kept = "1 result as it is" if len(rows) == 1 else f"{len(rows):,} results as they are"
        click.echo(f"accepted: the next plan uses {kept}")
    elif done is not None:
        click.echo(moved_sentence(done))
