"""``xpm undo``"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xpm_engine.cli.options import json_option, print_json, workspace_option
from xpm_engine.cli.pieces import left_json, piece_json

if TYPE_CHECKING:
    from xpm_engine.verbs.cleaning.clean import Transaction
    from xpm_engine.workspace.layout import WorkspacePaths


@click.command(name="undo")
@click.argument("transaction", metavar="[CLEAN]", required=False)
@click.option("-l", "--list", "listed", is_flag=True, help="Show what can be undone.")
@click.option("--purged", is_flag=True, help="Show what stays known of deleted jobs.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would come back; move nothing.")
@json_option
@workspace_option
def command(
    *,
    transaction: str | None,
    listed: bool,
    purged: bool,
    dry_run: bool,
    as_json: bool,
    workspace: str | None,
) -> None:
    """Take a clean back: the newest one, or the one that is named.

    Nothing is overwritten: where a job was computed again meanwhile, the new folder stays, and the
    old one stays in the trash.

    --purged shows what stays known of jobs that were deleted for good: all cleans, or those jobs
    that a clean's name, a job's digits or a FILTER means ('lr:0.1 mrr>0.3').
    """
    from xpm_engine.verbs.cleaning.clean import left_words, undo, undo_would, undone_sentence
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.words import plain

    paths = find_workspace(workspace)
    if listed:
        _list(paths, as_json=as_json)
        return
    if purged:
        from xpm_engine.cli.purged import show_purged

        show_purged(paths, transaction, as_json=as_json)
        return
    report = (undo_would if dry_run else undo)(paths, transaction)
    if as_json:
        print_json(
            {
                "transaction": report.transaction,
                "returned": [str(key) for key in report.returned],
                "returned_pieces": [piece_json(piece) for piece in report.pieces],
                "kept": [left_json(kept) for kept in report.kept],
                "dry_run": dry_run,
            }
        )
        return
    for kept in report.kept:
        click.echo(f"  stays in the trash: {plain(left_words(kept))}")
    click.echo(("would have " if dry_run else "") + undone_sentence(report))
    if transaction is None and not (report.returned or report.pieces):
        _tell_older(paths, report.transaction)


def _tell_older(workspace: WorkspacePaths, newest: str) -> None:
    """Nothing of the newest clean could come back: those before it have to be named."""
    from xpm_engine.verbs.cleaning.clean import list_trash

    older = [item.name for item in list_trash(workspace) if item.name != newest]
    if older:
        click.echo(f"the clean before it: xpm undo {older[0]}")


def _list(workspace: WorkspacePaths, *, as_json: bool) -> None:
    from xpm_engine.verbs.cleaning.clean import list_trash

    found = list_trash(workspace)
    if as_json:
        print_json({"cleans": [_clean_json(item) for item in found]})
        return
    for item in found:
        click.echo(_line(item))
    if not found:
        click.echo("the trash is empty", err=True)


def _line(item: Transaction) -> str:
    from xpm_engine.verbs.cleaning.clean import contents
    from xpm_engine.words import plain, size

    parts = [item.name, contents(item)]
    if item.size is not None:
        parts.append(size(item.size))
    if item.user:
        parts.append(f"by {plain(item.user)} on {plain(item.host)}")
    if item.cause:
        parts.append(plain(item.cause))
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
        "cause": item.cause or None,
        "jobs": [str(removal.key) for removal in item.removals],
        "pieces": [piece_json(piece) for piece in item.pieces],
        "bytes": item.size,
        "unfinished": item.unfinished,
        "problem": item.problem or None,
    }
