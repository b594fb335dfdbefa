"""``python -m xpm_engine.cli.after_run WORKSPACE EXPERIMENT/RUN``: what a plan starts at its end.

What it says on standard output are lines for the run's report.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from xpm_engine.errors import XpmError
from xpm_engine.verbs.cleaning.after_run import retain
from xpm_engine.workspace.layout import WorkspacePaths


def main(arguments: Sequence[str]) -> int:
    """Carry the policies out; what went wrong is told in one line."""
    root, run = arguments
    try:
        for line in retain(WorkspacePaths(root), run):
            click.echo(line)
    except XpmError as error:
        where = f" ({error.where})" if error.where else ""
        click.echo(f"{error.what}{where}", err=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
