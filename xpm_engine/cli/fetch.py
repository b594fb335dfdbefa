"""``xpm fetch``"""

from __future__ import annotations

import time
from typing import Self, TextIO

import click

from xpm_engine.cli.options import job_argument, workspace_option

OFTEN = 0.2
"""Seconds between two words about what has come."""


class Shown:
    """How far a fetch has come, on one line of a terminal; nothing where there is none."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream, self._name = stream, name
        self._terminal = stream.isatty()
        self._due = time.monotonic() + OFTEN

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def tell(self, here: int, total: int) -> None:
        """So many bytes are here, of how many."""
        if self._terminal and time.monotonic() >= self._due:
            self._due = time.monotonic() + OFTEN
            part = 100 * here // max(1, total)
            text = f"{self._name}: {here / 1e6:.1f} of {total / 1e6:.1f} MB, {part} %"
            self._stream.write(f"\r{text}\x1b[K")
            self._stream.flush()


@click.command(name="fetch")
@job_argument(many=True)
@click.option(
    "--only", "patterns", multiple=True, metavar="PATTERN", help="Files such as '*.json'."
)
@workspace_option
def command(*, jobs: tuple[str, ...], patterns: tuple[str, ...], workspace: str | None) -> None:
    """Bring the results of jobs here that ran on another host; a filter says which.

    What is here already stays, and a large file goes on where it was cut, also by Ctrl-C.
    """
    import sys

    from xpm_engine.verbs.fetch import Fetcher
    from xpm_engine.verbs.jobs.selecting import chosen_jobs
    from xpm_engine.verbs.places import find_workspace
    from xpm_engine.words import plural, size
    from xpm_engine.workspace.records.states import JobState

    paths = find_workspace(workspace)
    with Fetcher(paths) as fetcher:
        for key in chosen_jobs(paths, jobs, states=frozenset((JobState.DONE,))):
            name = f"{key.task}/{key.short}"
            with Shown(sys.stderr, name) as shown:
                tally = fetcher.fetch(key, patterns or ("**",), progress=shown.tell)
            there = size(sum(file.size for file in tally.left))
            rest = f", {len(tally.left)} more there, {there}" if tally.left else ""
            click.echo(
                f"{name}: {plural(tally.files, 'file')}, {size(tally.size)} here"
                f" ({tally.brought} new){rest}"
            )
