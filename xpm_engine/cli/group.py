"""The command itself: the table of its verbs, and the loading of one."""

from __future__ import annotations

from importlib import import_module

import click

from xpm_engine._version import __version__

VERBS = {
    "run": "Run a plan.",
    "plan": "Say what a plan would run, what is reused, and why.",
    "ls": "List the jobs of the experiments.",
    "log": "Print what a job wrote, and follow it.",
    "why": "Say why a job ran, or will run.",
    "diff": "Say what differs between two jobs.",
    "describe": "Show a class: documentation, parameters, defaults.",
    "ids": "Keep a plan's identifiers in a file, and check them.",
    "kill": "Stop running jobs, and cancel queued ones.",
    "retry": "Run failed jobs again, with what waits behind them.",
    "clean": "Move obsolete jobs to the trash, with reasons.",
    "undo": "Take a clean back.",
    "pin": "Keep jobs out of every clean.",
    "unpin": "Let jobs be cleaned again.",
    "du": "Say what takes how much on the disk.",
    "drift": "Decide about results made with other defaults.",
    "fetch": "Bring the results of other hosts here.",
    "doctor": "Look whether a machine is as it must be.",
    "completion": "Print the completion script for a shell.",
}
"""Verb -> what it does; `xpm_engine.cli.VERB` has its `command`."""


class Verbs(click.Group):
    """A group whose commands are imported when they are used, not to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = import_module(f"xpm_engine.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(args[0], VERBS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else " `xpm --help` lists them."
            ctx.fail(f"There is no verb {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=Verbs,
    subcommand_metavar="VERB ...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="xpm", message="%(prog)s %(version)s")
def xpm() -> None:
    """Run experiments, see how they are, and clean up after them.

    `xpm-tui` shows the same on a screen. Every verb has its own --help.
    """
