"""The ``xpm`` command: one small module a verb, loaded when it is used."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence

INTERRUPTED = 130

_OF_OUTPUT = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EPIPE)
)
"""Errors of an output that takes no more."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code. What we refuse is a text, never a traceback."""
    import click

    from xpm_engine.cli.group import xpm
    from xpm_engine.errors import StorageError, XpmError

    output: object = sys.stdout
    if isinstance(output, io.TextIOWrapper):
        # What the terminal's encoding does not have must not end a listing.
        output.reconfigure(errors="replace")
    try:
        code = xpm.main(args=arguments, prog_name="xpm", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except XpmError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except SystemExit:
        if sys.stdout is output:
            raise
        # The reader of our output, `head` for one, has seen enough; click put a silent one there.
        return 0
    except OSError as error:
        if error.filename is not None or error.errno not in _OF_OUTPUT:
            raise
        # No file of the workspace: it is our output that can't be written.
        _write_no_more()
        full = StorageError(
            f"the output can't be written: {error.strerror or error}",
            hint="look whether its disk is full",
        )
        click.echo(str(full), err=True)
        return full.exit_code
    return code if isinstance(code, int) else 0


def _write_no_more() -> None:
    """What is left in the buffers goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
