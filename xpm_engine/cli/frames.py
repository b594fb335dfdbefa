"""What the user's own code raised, told by its own lines."""

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
