"""``xpm-tui``: opens the app on a workspace."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xpm_engine.workspace.layout import WorkspacePaths
    from xpm_tui.store import Store


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from xpm_engine._version import __version__

        click.echo(f"xpm-tui {__version__}")
        context.exit()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("workspace", required=False, default=".", type=click.Path())
@click.option("--demo", is_flag=True, help="Write and start a real little experiment, and open it.")
@click.option("--demo-failure", is_flag=True, help="The same, with a task that fails on purpose.")
@click.option("--readonly", is_flag=True, help="Change nothing: no cleaning, no undo.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version.",
)
def command(
    workspace: str, *, demo: bool, demo_failure: bool, readonly: bool, no_mouse: bool
) -> None:
    """Show what is going on in WORKSPACE, by default the folder you are in.

    Opening writes nothing, and jobs and plans go on when you leave.
    """
    from xpm_engine.workspace.scan import check_workspace

    if demo or demo_failure:
        folder = _start_demo(failure=demo_failure)
        paths = check_workspace(str(folder))
    else:
        paths = check_workspace(workspace)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("the app needs a terminal; for scripts there is: xpm ls --json")

    from xpm_tui.app import XpmApp

    app = XpmApp(paths, readonly=readonly, ascii_only=_ascii_only())
    app.run(mouse=not no_mouse)
    click.echo(farewell(app.store))
    if app.return_code:
        sys.exit(app.return_code)


def _start_demo(*, failure: bool) -> Path:
    """Write the demo and start its plan; returns its workspace."""
    from xpm_tui.demo import FOLDER, WORKSPACE, start_demo, write_demo

    folder = Path.cwd() / FOLDER
    write_demo(folder)
    (folder / WORKSPACE).mkdir(exist_ok=True)
    start_demo(folder, failure=failure)
    return folder / WORKSPACE


def _ascii_only() -> bool:
    """Whether the terminal can show no more than ASCII: by its locale, or as asked."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return "utf8" not in encoding or os.environ.get("TERM") in ("vt100", "vt220")


def farewell(store: Store) -> str:
    """One line: how it stands, and the command to come back."""
    counts = store.totals()
    parts = [
        f"{count:,} {word}"
        for count, word in (
            (counts.done, "done"),
            (counts.running, "running"),
            (counts.waiting, "waiting"),
            (counts.failed, "failed"),
        )
        if count
    ]
    return f"{', '.join(parts) or 'nothing has run'}; back with: {way_back(store.workspace)}"


def way_back(workspace: WorkspacePaths) -> str:
    """The command that opens this workspace again from here."""
    import shlex

    here = os.path.relpath(workspace.root)
    return (
        "xpm-tui" if here == "." else f"xpm-tui {shlex.quote(min(here, workspace.root, key=len))}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code. What we refuse is a text, never a traceback."""
    from xpm_engine.errors import XpmError

    try:
        command.main(args=arguments, prog_name="xpm-tui", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except click.exceptions.Exit as done:
        return done.exit_code
    except XpmError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    return 0
