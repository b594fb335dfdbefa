"""``xpm du``"""

from __future__ import annotations

import click

from xpm_engine.cli.options import chosen_argument, json_option, print_json, workspace_option


@click.command(name="du")
@chosen_argument
@json_option
@workspace_option
def command(*, jobs: tuple[str, ...], as_json: bool, workspace: str | None) -> None:
    """Say what experiments and tasks take on the disk, and how much of it nobody needs.

    A FILTER says which jobs; without one, all of them. A job that several experiments use counts
    once, under all their names. It only reads.
    """
    from xpm_engine.verbs.cleaning.usage import disk_usage
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.words import plain, plural, size

    usage = disk_usage(find_workspace(workspace), jobs)
    if as_json:
        rows = [
            {
                "experiments": row.experiments,
                "task": row.task,
                "jobs": row.jobs,
                "bytes": row.size,
                "obsolete_bytes": row.obsolete,
            }
            for row in usage.rows
        ]
        total = {"bytes": usage.size, "obsolete_bytes": usage.obsolete, "trash_bytes": usage.trash}
        print_json({"rows": rows, **total})
        return
    for row in usage.rows:
        free = f", {size(row.obsolete)} that nobody needs" if row.obsolete else ""
        jobs_ = plural(row.jobs, "job")
        click.echo(f"{size(row.size):>8}  {plain(row.experiments)}  {row.task}  {jobs_}{free}")
    trash = f", trash {size(usage.trash)}" if usage.trash else ""
    click.echo(f"{size(usage.size):>8}  in all, {size(usage.obsolete)} that nobody needs{trash}")
