"""``xpm clean --code HOST``"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from xpm_engine.cli.options import print_json
from xpm_engine.errors import UsageError

if TYPE_CHECKING:
    from xpm_engine.workspace.layout import WorkspacePaths


def clean_code(
    workspace: WorkspacePaths, host: str, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Show the code that was shipped to a host, and remove what no job there needs."""
    from xpm_engine.verbs.cleaning.shipped import remove_shipped, shipped_code
    from xpm_engine.words import duration, plain, plural, size

    found = shipped_code(workspace, host)
    free = [code for code in found if not code.stays]
    what = f"{plural(len(free), 'version')} of code, {size(sum(code.size for code in free))}"
    if not as_json:
        for code in found:
            fate = f"stays: {code.stays}" if code.stays else "no job needs it"
            used = f"used {duration(code.unused)} ago"
            click.echo(f"  {code.name}  {size(code.size):>8}  {used:<16}  {plain(fate)}")
        if not found:
            click.echo(f"no code was shipped to {host}", err=True)
        elif not free:
            click.echo(f"nothing of it can go now: {len(found)} stay", err=True)
    removed: frozenset[str] = frozenset()
    if free and not dry_run:
        if not yes and not sys.stdin.isatty():
            raise UsageError(
                "nothing was removed: there is nobody to ask",
                hint="add --yes to remove it, or --dry-run to look at it",
            )
        if not yes:
            click.confirm(f"Remove {what} from {host}? What needs it ships it again.", abort=True)
        removed = remove_shipped(workspace, host)
    if as_json:
        rows = [{**code.to_json(), "removed": code.place in removed} for code in found]
        print_json({"host": host, "code": rows})
    elif removed:
        gone = sum(code.size for code in found if code.place in removed)
        click.echo(f"removed {plural(len(removed), 'version')} of code from {host}: {size(gone)}")
