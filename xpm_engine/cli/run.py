"""``xpm run``"""

from __future__ import annotations

import click

from xpm_engine.errors import PlanFileError


@click.command(name="run")
@click.argument("plan", metavar="PLAN.py", type=click.Path())
@click.argument("arguments", metavar="[NAME=VALUE]...", nargs=-1)
def command(*, plan: str, arguments: tuple[str, ...]) -> None:
    """Run a plan, as `python PLAN.py` does.

    The plan finds the NAME=VALUE pairs in `xpm_engine.arguments()`.

    Exit codes: 0 all is well, 1 a task failed, 2 the plan itself is wrong, 130 interrupted, with
    jobs left running.
    """
    from xpm_engine.plan.arguments import parse_arguments
    from xpm_engine.plan.script import run_script
    from xpm_engine.tracebacks import format_users_part

    try:
        run_script(plan, parse_arguments(arguments))
    except PlanFileError as error:
        if error.__cause__ is not None and not isinstance(error.__cause__, OSError):
            click.echo(format_users_part(error.__cause__), err=True, nl=False)
        raise
