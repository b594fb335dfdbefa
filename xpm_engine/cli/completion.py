"""``xpm completion``"""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(*, shell: str) -> None:
    """Print the script that completes verbs, options and jobs.

    For bash, add to ~/.bashrc: eval "$(xpm completion bash)"
    """
    from click.shell_completion import get_completion_class

    from xpm_engine.cli.group import xpm

    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(completion(xpm, {}, "xpm", "_XPM_COMPLETE").source())
