"""What is under the tree's cursor in a few lines, where there is no room for the right side."""

from __future__ import annotations

import os
from dataclasses import dataclass

from rich.text import Text
from textual.app import ComposeResult

from xpm_engine.workspace.elsewhere import rest_of
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.logs.text import clean, last_writing
from xpm_engine.workspace.records.mirror import Fetched
from xpm_engine.workspace.records.states import JobState
from xpm_tui import clock, look
from xpm_tui.facts.causes import causes_of
from xpm_tui.facts.usage import LiveUsage, live_usage
from xpm_tui.store import (
    CleanedSubject,
    FailedSubject,
    Job,
    JobSubject,
    LogSubject,
    ObsoleteSubject,
    Store,
    Stream,
    Subject,
    TrashSubject,
    WorkspaceSubject,
)
from xpm_tui.widgets.cleaning.trash import trash_line
from xpm_tui.widgets.damage import damage_lines
from xpm_tui.widgets.job.overview_lines import (
    LABEL,
    Neighbour,
    OverviewOf,
    reason_words,
    state_sentence,
    there_words,
)
from xpm_tui.widgets.job.view import overview_of
from xpm_tui.widgets.jobs.strip import cause_lines
from xpm_tui.widgets.jobs.view import set_lines
from xpm_tui.widgets.reading import ReadingWidget
from xpm_tui.widgets.tree.lines import obsolete_words
from xpm_tui.widgets.words import Words
from xpm_tui.widgets.workspace_view import Since, since_words

TAIL = 4_096
"""Bytes of a log's end in which its last line is looked for."""

MOST_CAUSES = 5
"""Causes of failure that there is room for."""

BAR = 32
MOST_NAMED = 2
"""Jobs that are named as needing this one, or needed by it."""


@dataclass(frozen=True)
class PeekFacts:
    """What only the disk and the system know of a job."""

    usage: LiveUsage | None = None
    last_lines: tuple[tuple[Stream, str], ...] = ()
    there: Fetched | None = None
    """What of its result is on another host alone."""


class Peek(ReadingWidget[OverviewOf, PeekFacts]):
    """Six lines at most."""

    DEFAULT_CSS = "Peek { height: 1fr; } Peek Words { padding: 0 1; }"

    def compose(self) -> ComposeResult:
        yield Words()

    def show_subject(self, subject: Subject, store: Store, *, since: Since) -> None:
        """Show what a subject is."""
        if isinstance(subject, (JobSubject, LogSubject)):
            job = store.job(subject.key, store.run_of(subject))
            self.show(overview_of(store, job))
            return
        self.leave()
        self._words.show(*_lines_of(subject, store, since))

    def leave(self) -> None:
        """Show no job any more: what is still being read is dropped."""
        self.about = None
        self.facts = None
        self._number += 1
        self._reading = False

    def same(self, before: OverviewOf, now: OverviewOf) -> bool:
        return before.job.key == now.job.key

    def read(self, about: OverviewOf) -> PeekFacts:
        return read_peek(about.workspace, about.job, away=about.away)

    def draw(self, about: OverviewOf, facts: PeekFacts | None) -> None:
        self._words.show(*peek_lines(about, facts or PeekFacts(), now=clock.now()))

    def tick(self) -> None:
        """A second has passed."""
        if self.about is not None and self.about.job.state.live:
            self.draw(self.about, self.facts)
            self.reread()

    @property
    def _words(self) -> Words:
        return self.query_one(Words)


def peek_lines(about: OverviewOf, facts: PeekFacts, *, now: float) -> list[Text]:
    """State, reason or progress, who needs whom, and the last line of each log."""
    job = about.job
    head = Text().append(f"{job.key.task.rpartition('.')[2]} {job.key.short}  ", "xpm.title")
    lines = [head.append_text(state_sentence(job, facts.usage, now=now))]
    if job.state.ended_badly:
        lines.append(_labelled("Reason", reason_words(job)))
    elif job.wait is not None:
        lines.append(_labelled("Waits for", look.wait_text(job.wait, held=True)))
    elif job.record.progress is not None and job.state.live:
        lines.append(_progress_line(job))
    elif facts.there is not None:
        lines.append(_labelled("Elsewhere", there_words(facts.there)))
    around = _labelled("Needed by", _names(about.downstream) or "nobody")
    if about.upstream:
        around.append("   Needs  ", "xpm.faint").append(_names(about.upstream))
    lines.append(around)
    for stream, line in facts.last_lines:
        lines.append(_labelled(stream.value, line))
    return lines


def read_peek(workspace: WorkspacePaths, job: Job, *, away: bool = False) -> PeekFacts:
    """Read the ends of both logs, what the living process uses, and what is elsewhere.

    `away`: the workspace is another machine's.
    """
    paths = workspace.job(job.key)
    attempt = job.record.attempt
    process = job.record.task or job.record.supervisor
    found: list[tuple[Stream, str]] = []
    if attempt:
        for stream, path in (
            (Stream.STDERR, paths.stderr(attempt)),
            (Stream.STDOUT, paths.stdout(attempt)),
        ):
            line = last_line(path)
            if line:
                found.append((stream, line))
    usage = live_usage(process) if job.state is JobState.RUNNING and process else None
    done_here = job.state is JobState.DONE and not away
    return PeekFacts(usage, tuple(found), rest_of(workspace, job.key) if done_here else None)


def last_line(path: str) -> str:
    """The last line of a log that is not blank, as it stood on the terminal; empty for none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            data = file.read(TAIL)
    except OSError:
        return ""
    for line in reversed(data.split(b"\n")):
        words = clean(last_writing(line)[0])[0].strip()
        if words:
            return words
    return ""


def _lines_of(subject: Subject, store: Store, since: Since) -> list[Text]:
    match subject:
        case WorkspaceSubject():
            title = Text().append(look.plain(store.told(store.workspace.root)), "xpm.title")
            said = Text(since_words(store, since, clock.now()))
            return [title, said, *damage_lines(store)]
        case ObsoleteSubject():
            return [Text().append("Obsolete", "xpm.title").append(f"   {obsolete_words(store)}")]
        case FailedSubject():
            lines = set_lines(store, subject, width=BAR)
            return [*lines, *cause_lines(causes_of(store, subject)[:MOST_CAUSES])]
        case TrashSubject() | CleanedSubject():
            return [trash_line(store.trash)]
        case _:
            return set_lines(store, subject, width=BAR)


def _progress_line(job: Job) -> Text:
    progress = job.record.progress
    assert progress is not None
    text = progress.levels[0].text if progress.levels else ""
    line = _labelled(look.plain(text)[: LABEL - 1] or "Progress", "")
    line.append_text(look.bar(progress.fraction, BAR))
    line.append(f"  {look.percent(progress.fraction)}")
    if progress.seconds_left is not None:
        line.append(f"   ~{look.duration(progress.seconds_left)} left")
    return line


def _names(neighbours: tuple[Neighbour, ...]) -> str:
    names = [
        f"{look.plain(one.title)} {look.STATES[one.job.state].glyph}"
        for one in neighbours[:MOST_NAMED]
    ]
    more = len(neighbours) - MOST_NAMED
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")


def _labelled(label: str, words: str) -> Text:
    return Text().append(label.ljust(LABEL), "xpm.faint").append(look.plain(words))
