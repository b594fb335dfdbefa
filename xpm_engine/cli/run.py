"""``xpm run``"""

from __future__ import annotations

import click

from xpm_engine.cli.frames import tell_never_asked, telling_the_users_frames


@click.command(name="run")
@click.argument("plan", metavar="PLAN.py", type=click.Path())
@click.argument("arguments", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would run, as `xpm plan` does.")
def command(*, plan: str, arguments: tuple[str, ...], dry_run: bool) -> None:
    """Run a plan, as `python PLAN.py` does.

    The plan finds the NAME=VALUE pairs in `xpm_engine.arguments()`.

    Exit codes: 0 all is well, 1 a task failed, 2 the plan itself is wrong, 130 interrupted, with
    jobs left running.
    """
    from xpm_engine.config.arguments import parse_arguments

    pairs = parse_arguments(arguments)
    with telling_the_users_frames():
        if dry_run:
            from xpm_engine.cli.plan import print_forecast
            from xpm_engine.verbs.forecast import forecast_plan

            print_forecast(plan, forecast_plan(plan, pairs))
        else:
            from xpm_engine.plan.script import run_script

            try:
                run_script(plan, pairs)
            except SystemExit:
                tell_never_asked(plan)
                raise
            tell_never_asked(plan)
