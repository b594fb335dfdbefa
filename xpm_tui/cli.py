"""``xpm-tui``: opens the app on a workspace."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xpm_engine.workspace.layout import WorkspacePaths
    from xpm_tui.far.site import FarSite
    from xpm_tui.store import Store, Subject
    from xpm_tui.watcher import Watcher

PATIENCE = 2.0
"""Seconds that leaving waits for what is being read or remembered, without a word."""

REMEMBERED = 60.0
"""Seconds that it waits, with a word, for what was read to be remembered for the next start."""


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from xpm_engine._version import __version__

        click.echo(f"xpm-tui {__version__}")
        context.exit()


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("workspace", required=False, default=".", type=click.Path())
@click.option("--demo", is_flag=True, help="Write and start a real little experiment, and open it.")
@click.option("--demo-failure", is_flag=True, help="The same, with a task that fails on purpose.")
@click.option("--job", metavar="ID", default="", help="Open at this job: ab12, or TASK/ab12.")
@click.option("--experiment", metavar="NAME", default="", help="Open at this experiment.")
@click.option("--readonly", is_flag=True, help="Change nothing, start no editor and no shell.")
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with nothing but ASCII.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version.",
)
def command(
    workspace: str,
    *,
    demo: bool,
    demo_failure: bool,
    job: str,
    experiment: str,
    readonly: bool,
    no_mouse: bool,
    ascii_only: bool,
) -> None:
    """Show what is going on in WORKSPACE, by default the folder you are in.

    Opening writes nothing to it, and jobs and plans go on when you leave. The next time the app
    opens where it was left.
    """
    from xpm_engine.workspace.scan import check_workspace

    if job and experiment:
        raise click.UsageError("--job and --experiment: the app opens at one of them.")

    far = None
    if workspace.startswith("ssh://"):
        far = _far_site(workspace, readonly=readonly)
        paths = far.place.here
    elif demo or demo_failure:
        _check_terminal()
        folder = _start_demo(failure=demo_failure)
        paths = check_workspace(str(folder))
    else:
        paths = check_workspace(workspace)
    _check_terminal()
    if experiment and far is None:
        _check_experiment(paths, experiment)

    from xpm_tui.app import XpmApp
    from xpm_tui.screens.arriving import Goal
    from xpm_tui.session import users_sessions

    app = XpmApp(
        paths,
        readonly=readonly,
        ascii_only=ascii_only or _ascii_only(),
        sessions=users_sessions(),
        goal=Goal(job, experiment),
        far=far,
    )
    app.run(mouse=not no_mouse)
    app.watcher.join(PATIENCE)
    click.echo(farewell(app.store, app.left_at.cursor, url="" if far is None else far.place.url))
    let_remember(app.watcher)
    if app.return_code:
        sys.exit(app.return_code)


def _check_terminal() -> None:
    """Raises UsageError where there is none, Exit where it can't be drawn on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("the app needs a terminal; for scripts there is: xpm ls --json")
    if not sys.stderr.isatty():
        # Said where it can be seen: the errors of a command go to the same place.
        click.echo("the app draws on standard error, which leads elsewhere: leave the 2> out")
        raise click.exceptions.Exit(2)


def _check_experiment(workspace: WorkspacePaths, name: str) -> None:
    """Raises UsageError where there is none of this name."""
    from difflib import get_close_matches

    from xpm_engine.workspace.scan import list_experiments

    names = list_experiments(workspace)
    if name not in names:
        close = get_close_matches(name, names, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise click.UsageError(f"there is no experiment {name!r} in {workspace.root}{hint}")


def _far_site(url: str, *, readonly: bool) -> FarSite:
    """Connect to a workspace of another machine; raises UsageError, RemoteError."""
    from importlib import import_module

    from xpm_tui.far.copies import copies_folder
    from xpm_tui.far.place import open_place
    from xpm_tui.far.site import FarSite

    def load_app() -> None:
        import_module("xpm_tui.app")

    place = open_place(url, caches=copies_folder(), meanwhile=load_app)
    return FarSite(place, readonly=readonly)


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


def farewell(store: Store, place: Subject, *, url: str = "") -> str:
    """One line: how it stands, why what failed did, and the command to come back to this place.

    `url` names the workspace, if it is on another machine.
    """
    from xpm_engine.verbs.causes import group_causes
    from xpm_engine.words import plural
    from xpm_tui.store import FailedSubject

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
    if counts.failed:
        parts[-1] += f" ({plural(len(group_causes(store.jobs(FailedSubject()))), 'cause')})"
    words = ", ".join(parts) or "nothing has run"
    return f"{words}; back with: {way_back(store.workspace, place, url=url)}"


def let_remember(watcher: Watcher) -> None:
    """Wait while what was read is written down: cut off, the next start would read it all again."""
    if watcher.remembering:
        click.echo("Remembering what was read, for a quick start; ctrl+c leaves it.")
        with suppress(KeyboardInterrupt):
            watcher.join(REMEMBERED)


def way_back(workspace: WorkspacePaths, place: Subject, *, url: str = "") -> str:
    """The command that opens this workspace again from here, at this place."""
    import shlex

    here = os.path.relpath(workspace.root)
    words = ["xpm-tui"]
    if url:
        words.append(url)
    elif here != ".":
        words.append(min(here, workspace.root, key=len))
    return shlex.join([*words, *_place_options(place)])


def _place_options(place: Subject) -> list[str]:
    from xpm_tui.store import (
        EarlierRunsSubject,
        ExperimentSubject,
        GroupSubject,
        JobSubject,
        LogSubject,
        RunSubject,
    )

    match place:
        case JobSubject(key) | LogSubject(key):
            return ["--job", key.short]
        case ExperimentSubject(name) | EarlierRunsSubject(name):
            return ["--experiment", name]
        case RunSubject(run) | GroupSubject(run):
            return ["--experiment", run.experiment]
        case _:
            return []


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code. What we refuse is a text, never a traceback."""
    from xpm_engine.errors import XpmError

    try:
        code = command.main(args=arguments, prog_name="xpm-tui", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except XpmError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0
