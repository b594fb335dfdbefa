"""What is told of a plan's file: what it raised, by its own lines, and what it did not ask for."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import click

from xpm_engine.errors import PlanFileError


@contextmanager
def telling_the_users_frames() -> Generator[None]:
    """Print the traceback of a plan that raised, without our frames, before the error itself."""
    from xpm_engine.tracebacks import format_users_part

    try:
        yield
    except PlanFileError as error:
        if error.__cause__ is not None and not isinstance(error.__cause__, OSError | SyntaxError):
            click.echo(format_users_part(error.__cause__), err=True, nl=False)
        raise


def tell_never_asked(plan: str) -> None:
    """Say which arguments a plan was given that it never looked at: perhaps a slip of the pen."""
    from xpm_engine.config.arguments import never_asked
    from xpm_engine.words import plain

    names = never_asked()
    if names and not _looks_itself(plan):
        words = ", ".join(names)
        them = "it" if len(names) == 1 else "them"
        click.echo(
            f"{plain(plan)} was given {words}, and never asked arguments() for {them}", err=True
        )


def _looks_itself(plan: str) -> bool:
    """Whether a plan reads its command line in a way that nobody can follow."""
    try:
        with open(plan, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return True
    return "argv" in text or "argparse" in text
