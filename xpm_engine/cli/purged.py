"""What ``xpm undo --purged`` shows: the small record of what was deleted for good."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from xpm_engine.cli.options import print_json
from xpm_engine.cli.pieces import piece_json

if TYPE_CHECKING:
    from xpm_engine.workspace.layout import WorkspacePaths
    from xpm_engine.workspace.records.purged import Purged, PurgedJob


def show_purged(workspace: WorkspacePaths, name: str | None, *, as_json: bool) -> None:
    """All records in a line each, or the jobs that `name` means: a clean's, or by a filter."""
    from xpm_engine.verbs.cleaning.clean import list_purged
    from xpm_engine.verbs.cleaning.gone import find_purged

    if name is None:
        found = list_purged(workspace)
    else:
        found = find_purged(workspace, name, now=time.time())
    if as_json:
        print_json({"purged": [_json(item) for item in found]})
        return
    for item in found:
        click.echo(_line(item))
        for job in item.jobs if name is not None else ():
            _show_job(job)
    if not found:
        click.echo("nothing was deleted for good", err=True)


def _line(item: Purged) -> str:
    from xpm_engine.verbs.cleaning.clean import things_words
    from xpm_engine.words import plain, size, when

    parts = [item.name, things_words(len(item.jobs), item.pieces)]
    if item.size is not None:
        parts.append(size(item.size))
    parts.append(f"deleted {when(item.purged, time.time())} by {plain(item.user)}")
    if item.damaged:
        parts.append(f"? {item.damaged} lines of its record can't be read")
    return "  ".join(parts)


def _show_job(job: PurgedJob) -> None:
    from xpm_engine.words import duration, plain, when

    clock = time.time()
    took = "" if job.seconds is None else f"took {duration(job.seconds)}"
    facts = (job.state.value, when(job.ended, clock), took, plain(job.reason))
    click.echo(f"  {job.key.task}/{job.key.short}  " + "  ".join(filter(None, facts)))
    for title, values in (("tags", job.tags), ("parameters", job.params), ("metrics", job.metrics)):
        if values:
            words = "  ".join(f"{plain(name)}={plain(value)}" for name, value in values.items())
            click.echo(f"      {title}: {words}")
    for title, lines in (("stdout", job.stdout), ("stderr", job.stderr)):
        for line in lines:
            click.echo(f"      {title}: {plain(line)}")


def _json(item: Purged) -> dict[str, object]:
    return {
        "transaction": item.name,
        "cleaned": item.cleaned or None,
        "purged": item.purged,
        "user": item.user,
        "host": item.host,
        "bytes": item.size,
        "jobs": [job.to_json() for job in item.jobs],
        "pieces": [piece_json(piece) for piece in item.pieces],
    }
