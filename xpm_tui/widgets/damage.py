"""What of the workspace's runs could not be read: said wherever such a run is shown."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from xpm_engine.workspace.scan import RunView
from xpm_tui import look
from xpm_tui.store import Store

MOST_NAMED = 3
"""Damaged files that the workspace's view names."""

MEANING = "nothing of it counts as obsolete while that is so"


def damaged_file(view: RunView) -> str:
    """The file that could not be read; empty if all could."""
    return view.problem.partition(": ")[0]


def damage_line(view: RunView | None) -> Text | None:
    """``? unreadable  …/jobs.jsonl: line 3: truncated``; None for a run that could be read."""
    if view is None or not view.problem:
        return None
    line = Text("? unreadable  ", "xpm.unreadable")
    return line.append(look.plain(f"{_short(view)}; {MEANING}"))


def damage_lines(store: Store) -> Iterator[Text]:
    """A line for each of the runs that could not be read, the newest first; the rest counted."""
    views = [
        view
        for experiment in store.experiments()
        for view in map(store.run, experiment.runs)
        if view is not None and view.problem
    ]
    for view in views[:MOST_NAMED]:
        line = Text("? unreadable  ", "xpm.unreadable")
        yield line.append(look.plain(f"{view.experiment}/{_short(view)}"))
    if len(views) > MOST_NAMED:
        yield Text(f"  and {look.plural(len(views) - MOST_NAMED, 'more run')}", "xpm.unreadable")


def _short(view: RunView) -> str:
    """``RUN/jobs.jsonl: line 3: …``: the folders above the run are known."""
    before, _, after = view.problem.partition(f"/{view.run}/")
    return f"{view.run}/{after}" if after else before
