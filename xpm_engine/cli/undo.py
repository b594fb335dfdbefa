"""``xpm undo``"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xpm_engine.cli.options import json_option, print_json, workspace_option

if TYPE_CHECKING:
    from xpm_engine.verbs.clean import Transaction
    from xpm_engine.workspace.layout import WorkspacePaths


@click.command(name="undo")
@click.argument("transaction", metavar="[CLEAN]", required=False)
@click.option("-l", "--list", "listed", is_flag=True, help="Show what can be undone.")
@json_option
@workspace_option
def command(*, transaction: str | None, listed: bool, as_json: bool, workspace: str | None) -> None:
    """Take a clean back: the newest one, or the one that is named.

    Nothing is overwritten: where a job was computed again meanwhile, the new folder stays, and the
    old one stays in the trash.
    """
    from xpm_engine.verbs.clean import undo, undone_sentence
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.verbs.words import plain

    paths = find_workspace(workspace)
    if listed:
        _list(paths, as_json=as_json)
        return
    report = undo(paths, transaction)
    if as_json:
        print_json(
            {
                "transaction": report.transaction,
                "returned": [str(key) for key in report.returned],
                "kept": [{"job": str(kept.key), "why": kept.why} for kept in report.kept],
            }
        )
        return
    for kept in report.kept:
        click.echo(f"  stays in the trash: {kept.key.task}/{kept.key.short}: {plain(kept.why)}")
    click.echo(undone_sentence(report))


def _list(workspace: WorkspacePaths, *, as_json: bool) -> None:
    from xpm_engine.verbs.clean import list_trash

    found = list_trash(workspace)
    if as_json:
        print_json({"cleans": [_clean_json(item) for item in found]})
        return
    for item in found:
        click.echo(_line(item))
    if not found:
        click.echo("the trash is empty", err=True)


def _line(item: Transaction) -> str:
    from xpm_engine.verbs.clean import contents
    from xpm_engine.verbs.words import plain, size

    parts = [item.name, contents(item)]
    if item.size is not None:
        parts.append(size(item.size))
    if item.user:
        parts.append(f"by {plain(item.user)} on {plain(item.host)}")
    if item.unfinished:
        parts.append("unfinished")
    if item.problem:
        parts.append(f"? {plain(item.problem)}")
    return "  ".join(parts)


def _clean_json(item: Transaction) -> dict[str, object]:
    return {
        "transaction": item.name,
        "at": item.at or None,
        "user": item.user or None,
        "host": item.host or None,
        "jobs": [str(removal.key) for removal in item.removals],
        "leftovers": [[str(left.key), left.attempt] for left in item.leftovers],
        "bytes": item.size,
        "unfinished": item.unfinished,
        "problem": item.problem or None,
    }
