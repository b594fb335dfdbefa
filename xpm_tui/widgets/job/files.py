"""The files of a job's folder, with their sizes."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.app import ComposeResult

from xpm_engine.workspace.records.fields import format_time
from xpm_tui import clock, look
from xpm_tui.facts.folder import Entry, EntryKind, Listing, list_job
from xpm_tui.widgets.job.overview_lines import there_words
from xpm_tui.widgets.reading import ReadingWidget
from xpm_tui.widgets.table.keys import KeyTable
from xpm_tui.widgets.table.model import Column
from xpm_tui.widgets.words import Words

STEP = 2
"""Cells that what lies in a folder stands further right."""


class Files(ReadingWidget[str, Listing]):
    """What a folder, named by its path, holds."""

    lister: Callable[[str], Listing] = staticmethod(list_job)
    """Lists it; in a thread."""
    told: Callable[[str], str] = staticmethod(str)
    """What it is called for people."""

    def compose(self) -> ComposeResult:
        yield Words()
        self.entries: KeyTable[Entry] = KeyTable(lambda entry: entry.path, columns=COLUMNS)
        self.entries.markable = False
        yield self.entries

    def read(self, about: str) -> Listing:
        return self.lister(about)

    def draw(self, about: str, facts: Listing | None) -> None:
        self.query_one(Words).show(summary(self.told(about), facts))
        self.entries.show(() if facts is None else facts.entries)


def summary(root: str, listing: Listing | None) -> Text:
    """How much is in the folder, and where it is, which may be long."""
    words = Text(" ")
    if listing is not None and listing.there is not None:
        words.append(look.plain(there_words(listing.there)), "xpm.warning").append(" · ")
    if listing is None:
        words.append("reading… ", "xpm.faint")
    elif listing.problem:
        words.append(f"{look.plain(listing.problem)} · ", "bold")
    else:
        least = "" if listing.complete else "at least "
        words.append(f"{least}{len(listing.here):,} entries, {look.size(listing.size)} · ")
    return words.append(look.plain(root))


def name_cell(entry: Entry) -> Text:
    """The name, set in below its folder; what the engine wrote is dimmed."""
    name = look.plain(entry.name)
    if entry.kind is EntryKind.FOLDER:
        name += "/"
    if entry.kind is EntryKind.LINK:
        name += f" → {look.plain(entry.target)}"
    faint = entry.ours or entry.away
    return Text(" " * STEP * entry.depth + name, "xpm.faint" if faint else "")


def size_cell(entry: Entry) -> Text:
    """The size of a file; of anything else, what it is."""
    if entry.problem:
        return Text(look.plain(entry.problem), "bold")
    if entry.size is not None:
        return Text(look.size(entry.size))
    return Text(entry.kind.value, "xpm.faint")


def _modified_cell(entry: Entry) -> Text:
    if entry.away:
        return Text(look.plain(f"on {entry.away}"), "xpm.warning")
    return Text(
        "" if entry.modified is None else look.when_long(format_time(entry.modified), clock.now()),
        "xpm.faint",
    )


COLUMNS: tuple[Column[Entry], ...] = (
    Column("name", name_cell, lambda entry: entry.path, width=44),
    Column("size", size_cell, lambda entry: entry.size, width=10, right=True),
    Column("changed", _modified_cell, lambda entry: entry.modified, width=14),
)
