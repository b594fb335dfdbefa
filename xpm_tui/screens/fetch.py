"""Fetching: what is on other hosts alone of the jobs that were captured, and what would come."""

from __future__ import annotations

import glob
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from rich.text import Text

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace import aliases
from xpm_engine.workspace.elsewhere import fetched, still_there
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_tui import look
from xpm_tui.facts.folder import Entry, EntryKind
from xpm_tui.fetching import Fetching, Wanted, hosts_of
from xpm_tui.screens.capture import MOST_NAMED, Capture
from xpm_tui.screens.dialog import Dialog
from xpm_tui.store import Job, Store


@dataclass(frozen=True)
class FetchOrder:
    """What the dialog asks about."""

    wanted: tuple[Wanted, ...]
    others: tuple[str, ...]
    """Why nothing comes of the other captured jobs, once for each of them."""
    hidden: int
    size: int
    """Bytes to come, as far as they are known."""
    files: int


def prepare(store: Store, capture: Capture, entry: Entry | None = None) -> FetchOrder:
    """Find what of the captured jobs is on other hosts alone; reads notes, so in a thread.

    Of one job it may be one `entry` of its folder that is wanted, with what is below it.
    """
    wanted: list[Wanted] = []
    others: list[str] = []
    seen: set[JobKey] = set()
    for job in capture.jobs:
        key = _holder(store.workspace, job)
        paths = store.workspace.job(key)
        there = None if key in seen else still_there(paths)
        if job.state is not JobState.DONE:
            others.append("not done")
        elif there is not None:
            title = store.title(job)
            title = title if job.key.short in title else f"{title} {job.key.short}"
            wanted.append(Wanted(job.key, title, there))
            seen.add(key)
        else:
            others.append("ran on this machine" if fetched(paths) is None else "all here already")
    files = sum(each.there.left for each in wanted)
    size = sum(each.there.left_size for each in wanted)
    if len(wanted) == 1 and entry is not None and entry.away:
        (each,) = wanted
        name, inside = glob.escape(entry.path), f"{entry.path}/"
        named = [
            file
            for file in each.there.there
            if file.path == entry.path or file.path.startswith(inside)
        ]
        wanted = [
            Wanted(each.key, f"{entry.path} of {each.title}", each.there, _below(name, entry))
        ]
        files, size = len(named), sum(file.size for file in named)
    return FetchOrder(tuple(wanted), tuple(others), capture.hidden, size, files)


def dialog(order: FetchOrder) -> Dialog:
    """The question."""
    what = look.plural(order.files, "file")
    if order.size:
        what += f", {look.size(order.size)}"
    lines: list[Text] = []
    for each in order.wanted[:MOST_NAMED]:
        line = Text(look.plain(each.title))
        if len(order.wanted) > 1:
            size = f", {look.size(each.there.left_size)}" if each.there.left_size else ""
            line.append(f"  {look.plural(each.there.left, 'file')}{size}", "xpm.faint")
        line.no_wrap, line.overflow = True, "ellipsis"
        lines.append(line)
    if len(order.wanted) > MOST_NAMED:
        lines.append(Text(f"and {len(order.wanted) - MOST_NAMED:,} more", "xpm.faint"))
    if order.others:
        count = look.plural(len(order.others), "other job")
        lines.append(Text(f"nothing comes of {count}: {_reasons(order)}", "xpm.faint"))
    lines += Capture(hidden=order.hidden).hidden_line
    lines.append(Text("What is here stays; a large file goes on where it was cut.", "xpm.faint"))
    return Dialog(f"Fetch {what} from {hosts_of(order.wanted)}?", lines, f"Fetch {what}")


def stop_dialog(fetching: Fetching) -> Dialog:
    """The question while one goes on: there is one at a time."""
    lines = [Text(look.plain(fetching.words))]
    lines += [Text(look.plain(each.title)) for each in fetching.wanted[:MOST_NAMED]]
    lines.append(Text("What has come stays, and F goes on from there.", "xpm.faint"))
    return Dialog(f"Stop fetching from {fetching.hosts}?", lines, "Stop fetching")


def why_nothing(order: FetchOrder) -> str:
    """Why there is nothing to ask about."""
    words = "F fetch: there is no job here"
    if len(order.others) == 1:
        words = "F fetch: " + {
            "not done": "only the result of a job that is done can be fetched",
            "ran on this machine": "it ran on this machine, or on its disk: all of it is here",
            "all here already": "all files of its result are here already",
        }.get(order.others[0], order.others[0])
    elif order.others:
        words = f"F fetch: nothing of these jobs is on another host: {_reasons(order)}"
    return f"{words}; {look.hidden_words(order.hidden)}" if order.hidden else words


def _reasons(order: FetchOrder) -> str:
    return ", ".join(f"{count:,} {why}" for why, count in Counter(order.others).most_common())


def _holder(workspace: WorkspacePaths, job: Job) -> JobKey:
    """The job whose folder has the result: itself, or the one that it has adopted."""
    with suppress(UnreadableError):
        return aliases.resolve(workspace, job.key)
    return job.key


def _below(name: str, entry: Entry) -> tuple[str, ...]:
    return (name, f"{name}/*") if entry.kind is EntryKind.FOLDER else (name,)
