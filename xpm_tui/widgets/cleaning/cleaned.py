"""The right side of one clean: its jobs, also after it was deleted for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult
from textual.widget import Widget

from xpm_engine.errors import XpmError
from xpm_engine.verbs.cleaning.clean import things_words
from xpm_engine.verbs.cleaning.trash_facts import CleanedFacts
from xpm_engine.workspace.records.purged import PurgedJob
from xpm_engine.workspace.records.trash import Piece
from xpm_tui import clock, look
from xpm_tui.deeds import Deeds
from xpm_tui.store import Changed, CleanedSubject
from xpm_tui.store.labels import labelling, last_part, pair
from xpm_tui.widgets.reading import ReadingWidget
from xpm_tui.widgets.subject_view import SubjectView
from xpm_tui.widgets.table.keys import KeyTable
from xpm_tui.widgets.table.model import Column
from xpm_tui.widgets.table.table import Table
from xpm_tui.widgets.words import Words

LOG_LINES = 5
"""Of each log that are shown."""


@dataclass(frozen=True)
class CleanedOf:
    """Which clean is meant."""

    deeds: Deeds
    name: str


Row = PurgedJob | Piece


class Cleaned(ReadingWidget[CleanedOf, CleanedFacts]):
    """A job a row, and below it what stays known of the one under the cursor."""

    DEFAULT_CSS = """
    Cleaned { layout: vertical; height: 1fr; }
    Cleaned .strip, Cleaned .details { padding: 0 1; }
    """

    def compose(self) -> ComposeResult:
        yield Words(classes="strip")
        self.jobs: KeyTable[Row] = KeyTable(_key, columns=self._columns())
        self.jobs.markable = False
        self._titles: dict[object, str] = {}
        yield self.jobs
        yield Words(classes="details")

    def read(self, about: CleanedOf) -> CleanedFacts:
        try:
            return about.deeds.cleaned(about.name)
        except XpmError as error:
            return CleanedFacts(None, gone=False, problem=error.what)

    def draw(self, about: CleanedOf, facts: CleanedFacts | None) -> None:
        record = None if facts is None else facts.record
        rows: tuple[Row, ...] = () if record is None else (*record.jobs, *record.pieces)
        self._titles = titles(rows)
        self.jobs.show(rows)
        self.query_one(".strip", Words).show(*head(about, facts))
        self._draw_details()

    def on_table_moved(self, message: Table.Moved) -> None:
        message.stop()
        self._draw_details()

    def _draw_details(self) -> None:
        row = self.jobs.row
        self.query_one(".details", Words).show(*(() if row is None else details(row)))

    def _columns(self) -> tuple[Column[Row], ...]:
        return (
            Column(
                "what",
                lambda row: Text(self._titles.get(_key(row), "")),
                lambda row: self._titles.get(_key(row)),
                width=34,
            ),
            Column("state", _state_cell, lambda row: _state_cell(row).plain, width=11),
            Column("ended", _ended_cell, _ended, width=14),
            Column("size", _size_cell, lambda row: row.size, width=8, right=True),
        )


class CleanedView(SubjectView):
    """One clean."""

    def make_panes(self) -> Sequence[Widget]:
        self.cleaned = Cleaned()
        return (self.cleaned,)

    def touched(self, changed: Changed) -> bool:
        return changed.trash or changed.obsolete

    def feed(self, pane: int) -> None:
        if self.store is not None and isinstance(self.subject, CleanedSubject):
            self.cleaned.show(CleanedOf(self.deeds, self.subject.name))


def head(about: CleanedOf, facts: CleanedFacts | None) -> list[Text]:
    """What was cleaned, when, by whom, and whether it can come back."""
    title = Text().append(about.name, "xpm.title")
    if facts is None or facts.record is None:
        words = "reading…" if facts is None else look.plain(facts.problem)
        return [title.append(f"   {words}", "xpm.faint")]
    record = facts.record
    title.append(f"   {things_words(len(record.jobs), record.pieces)}")
    if not facts.gone:
        return [title, Text("in the trash: z brings it back, x deletes it for good", "xpm.faint")]
    when = look.when_long(record.purged, clock.now())
    size = "" if record.size is None else f", {look.size(record.size)} freed"
    words = f"deleted for good {when} by {look.plain(record.user)}{size}; this record stays"
    return [title, Text(words, "xpm.faint")]


def titles(rows: Sequence[Row]) -> dict[object, str]:
    """What each row is called."""
    by_task: dict[str, list[PurgedJob]] = {}
    found: dict[object, str] = {}
    for row in rows:
        if isinstance(row, PurgedJob):
            by_task.setdefault(row.key.task, []).append(row)
        else:
            owner = "" if row.key is None else f"{last_part(row.key.task)} {row.key.short} "
            found[_key(row)] = look.plain(owner + row.words)
    for task, jobs in by_task.items():
        names = labelling(jobs)
        for job in jobs:
            label = names.label(job.key, job.tags, job.params)
            found[job.key] = look.plain(f"{last_part(task)} {label}")
    return found


def details(row: Row) -> list[Text]:
    """Parameters, metrics, times, reason, and the last lines of the logs."""
    if not isinstance(row, PurgedJob):
        return []
    lines: list[Text] = []
    took = "" if row.seconds is None else f", took {look.duration(row.seconds)}"
    ended = look.when_long(row.ended, clock.now())
    why = f": {row.reason}" if row.reason else ""
    _add(lines, "ended", f"{row.state.value} {ended}{took}{why}")
    for name, values in (("tags", row.tags), ("parameters", row.params), ("metrics", row.metrics)):
        _add(lines, name, "  ".join(pair(each, value) for each, value in values.items()))
    for name, log in (("stderr", row.stderr), ("stdout", row.stdout)):
        for line in log[-LOG_LINES:]:
            _add(lines, name, line)
    return lines


def _add(lines: list[Text], name: str, words: str) -> None:
    if words.strip():
        lines.append(Text().append(name.ljust(12), "xpm.faint").append(look.plain(words)))


def _key(row: Row) -> object:
    return row.key if isinstance(row, PurgedJob) else row


def _state_cell(row: Row) -> Text:
    return look.state_text(row.state) if isinstance(row, PurgedJob) else Text(row.kind.value)


def _ended(row: Row) -> str | None:
    return row.ended if isinstance(row, PurgedJob) else None


def _ended_cell(row: Row) -> Text:
    return Text(look.when_long(_ended(row), clock.now()), "xpm.faint")


def _size_cell(row: Row) -> Text:
    return Text("?" if row.size is None else look.size(row.size))
