"""The tree: experiments, groups, jobs, their progress and logs; only visible rows are drawn."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.app import App
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from xpm_engine.workspace.layout import JobKey
from xpm_tui.facts.causes import causes_of
from xpm_tui.look import CURSOR
from xpm_tui.store import (
    FailedSubject,
    Grouping,
    JobSubject,
    LogSubject,
    RunKey,
    Store,
    Stream,
    Subject,
    WorkspaceSubject,
)
from xpm_tui.widgets.apart import run_apart
from xpm_tui.widgets.drawing import console_of, segments
from xpm_tui.widgets.painting import PaintedLines
from xpm_tui.widgets.tree.lines import (
    WIDE,
    Drawing,
    LogFacts,
    Widths,
    draw_row,
    widths_of,
)
from xpm_tui.widgets.tree.model import RowKey, TreeModel, TreeRow

QUIET = 3.0
"""Seconds without a key before jobs that changed may change places."""


class Tree(PaintedLines, can_focus=True, inherit_bindings=False):
    """What there is, unfolded as far as the user likes; the cursor stays on its row."""

    app: App[Any]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tree--cursor", "tree--cursor-blurred"}

    class Moved(Message):
        """The cursor stands on something else."""

        def __init__(self, subject: Subject) -> None:
            super().__init__()
            self.subject = subject

    class Opened(Message):
        """What is under the cursor is to be opened."""

        def __init__(self, subject: Subject) -> None:
            super().__init__()
            self.subject = subject

    class WorkspaceWanted(Message):
        """What the whole tree is inside of is to be shown: the workspace."""

    class MarksWanted(Message):
        """These jobs are to be marked, or unmarked if all of them are."""

        def __init__(self, keys: frozenset[JobKey]) -> None:
            super().__init__()
            self.keys = keys

    class LogsSeen(Message):
        """How large the logs on the screen are now."""

        def __init__(self, facts: dict[RowKey, LogFacts]) -> None:
            super().__init__()
            self.facts = facts

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        id: str | None = None,  # noqa: A002 (Textual's name)
    ) -> None:
        super().__init__(id=id)
        self.model = TreeModel()
        self._clock = clock
        self._store: Store | None = None
        self._cursor = 0
        self._cursor_key: RowKey | None = None
        self._marks: frozenset[JobKey] = frozenset()
        self._drawing: Drawing | None = None
        self._widths: Widths | None = None
        self._fitted: list[TreeRow] = []
        """The rows that the widths are for, in a terminal of this width, with this filter."""
        self._fitted_for: tuple[object, ...] = ()
        self._logs: dict[RowKey, LogFacts] = {}
        self._looking = False
        self._last_key = 0.0
        self._placed = False
        """Whether somebody put the cursor where it is; else it is where a reader begins."""
        self._resort: Timer | None = None
        self._causes = 0

    # What is shown

    def show(self, store: Store) -> None:
        """Show what the store knows now; the cursor's row stays at its height on the screen."""
        self._store = store
        self._count_causes(store)
        keep = monotonic() - self._last_key < QUIET
        self._rebuild(keep_order=keep)
        if keep and self._resort is None:
            self._resort = self.set_timer(QUIET, self._resort_now)

    def show_moved(self, store: Store, keys: frozenset[JobKey]) -> None:
        """These jobs only told how far they are now: no row comes, goes or moves by it."""
        if any(_job_of(row) in keys for row in self.model.unfolded):
            self.show(store)
            return
        top = self.scroll_offset.y
        rows = self.model.rows[top : top + self.size.height]
        seen = [y for y, row in enumerate(rows) if _job_of(row.key) in keys]
        if seen:
            self.repaint(seen)

    def show_marks(self, marks: frozenset[JobKey]) -> None:
        """Draw these jobs as marked."""
        self._marks = marks
        self.repaint()

    def tick(self) -> None:
        """A second has passed: only the rows of logs say how long ago something was."""
        self._look_at_logs()

    def on_key(self) -> None:
        self._last_key = monotonic()
        self._placed = True

    @property
    def row(self) -> TreeRow | None:
        """The row under the cursor."""
        return self.model.rows[self._cursor] if self.model.rows else None

    @property
    def subject(self) -> Subject:
        """What is under the cursor."""
        return WorkspaceSubject() if self.row is None else self.row.subject

    @property
    def by(self) -> Grouping:
        """What the jobs are grouped by."""
        return self.model.by

    def show_narrowed(self, trail: Sequence[RowKey] | None = None) -> None:
        """The store was narrowed to other jobs: few of them are shown unfolded.

        With a `trail` the cursor goes to the nearest of these rows that is shown, else to where
        it begins.
        """
        self.model.shut.clear()
        if self._store is not None:
            self._count_causes(self._store)
        with self.painted_once():
            self._rebuild(keep_order=False)
            if trail is not None and not any(map(self.move_to, trail)):
                self._go(self.model.home)

    def move_to(self, key: RowKey) -> bool:
        """Put the cursor on a row; False if it is not shown."""
        place = self.model.place(key)
        if place is not None:
            self._placed = True
            self._go(place)
        return place is not None

    def reveal(self, key: JobKey, run: RunKey) -> bool:
        """Unfold what holds a job and put the cursor on it; False if it is one of too many."""
        if self._store is None:
            return False
        row = self.model.unfold_to(self._store, key, run)
        self._rebuild(keep_order=False)
        self.move_to(row)
        return self.subject == JobSubject(key, run)

    def trail(self) -> list[RowKey]:
        """The row under the cursor, and what it is inside of, from near to far."""
        keys: list[RowKey] = [] if self._cursor_key is None else [self._cursor_key]
        place = self._cursor if self._cursor < len(self.model.rows) else None
        while place is not None:
            keys.append(self.model.rows[place].key)
            place = self.model.parent(place)
        return keys

    def chosen(self) -> frozenset[JobKey]:
        """The jobs in the range that was begun."""
        return frozenset()

    # Drawing

    def on_resize(self) -> None:
        self._fit()
        self.look_around()
        self.prepare()
        self._scroll_to_cursor()
        self.refresh()  # lines may have been painted before this, at the former width

    def on_focus(self) -> None:
        self._repaint_rows(self._cursor)

    def on_blur(self) -> None:
        self._repaint_rows(self._cursor)

    def make_line(self, y: int, base: Style) -> Strip:
        place = self.scrolled.y + y
        width = self.room.width
        if self._drawing is None or not 0 <= place < len(self.model.rows):
            return Strip.blank(width, base)
        row = self.model.rows[place]
        text = draw_row(row, self._drawing)
        at_cursor = place == self._cursor
        if at_cursor:
            text = Text.assemble((CURSOR, "xpm.key"), text[1:])
        strip = Strip(segments(text, console_of(self))).crop_extend(0, width, None)
        strip = strip.apply_style(base)
        if not at_cursor:
            return strip
        name = "tree--cursor" if self.has_focus else "tree--cursor-blurred"
        style = self.get_component_rich_style(name, partial=True)
        return Strip(Segment.apply_style(strip, post_style=style), width)

    def prepare(self) -> None:
        if self._store is not None:
            drawing = Drawing(
                store=self._store,
                width=self.room.width,
                now=self._clock(),
                logs=self._logs,
                marks=self._marks | chosen if (chosen := self.chosen()) else self._marks,
                bar_width=16 if self.room.width >= WIDE else 8,
                done_width=9 if self.room.width >= WIDE else 8,
                causes=self._causes,
            )
            fitted_for = (drawing.width, self._store.version, self._store.wanted)
            if (
                self._widths is None
                or self._fitted is not self.model.rows
                or self._fitted_for != fitted_for
            ):
                self._fitted, self._fitted_for = self.model.rows, fitted_for
                self._widths = widths_of(drawing, self.model.rows)
            self._drawing = self._widths.given_to(drawing)

    # Places

    def _go(self, place: int) -> None:
        rows = self.model.rows
        if not rows:
            return
        before, self._cursor = self._cursor, min(max(place, 0), len(rows) - 1)
        key = rows[self._cursor].key
        moved = key != self._cursor_key
        self._cursor_key = key
        self._scroll_to_cursor()
        if self.chosen():
            self.repaint()
        else:
            self._repaint_rows(before, self._cursor)
        if moved:
            self.post_message(self.Moved(key.subject))

    def _repaint_rows(self, *places: int) -> None:
        """Only these rows look different."""
        top, height = self.scroll_offset.y, self.size.height
        self.repaint([place - top for place in places if top <= place < top + height])

    def _fold(self, row: TreeRow, *, unfold: bool) -> None:
        self.model.fold(row.key, unfold=unfold)
        self._rebuild(keep_order=True)
        self._look_at_logs()

    def _rebuild(self, *, keep_order: bool) -> None:
        with self.painted_once():
            self._make_rows(keep_order=keep_order)
            self.repaint()

    def _make_rows(self, *, keep_order: bool) -> None:
        if self._store is None:
            return
        height = self._cursor - self.scroll_offset.y
        above = self.trail()
        self.model.rebuild(self._store, keep_order=keep_order)
        self._fit()
        places = [self.model.place(key) for key in (*map(self.model.heir, above), *above)]
        found = next((place for place in places if place is not None), None)
        if not self._placed and self.model.rows:
            self._go(self.model.home)
            return
        if found is None or not self.model.rows:
            self._go(self.model.home if self._cursor_key is None else self._cursor)
            return
        self._cursor = found
        self.scroll_to(y=max(0, found - height), animate=False, immediate=True)
        if self.model.rows[found].key != self._cursor_key:
            self._go(found)
        self._scroll_to_cursor()

    def _count_causes(self, store: Store) -> None:
        failed = FailedSubject()
        self._causes = len(causes_of(store, failed)) if store.size(failed) else 0

    def _fit(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.model.rows))

    def _scroll_to_cursor(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, immediate=True)

    def _resort_now(self) -> None:
        self._resort = None
        if self._store is not None:
            self.show(self._store)

    # Logs

    def _look_at_logs(self) -> None:
        """Ask for the size of the logs on the screen, in a thread: disks can be slow."""
        store = self._store
        if self._looking or store is None:
            return
        top = self.scroll_offset.y
        paths: dict[RowKey, str] = {}
        for row in self.model.rows[top : top + self.size.height]:
            if isinstance(row.subject, LogSubject):
                job = store.job(row.subject.key, row.subject.run)
                files = store.workspace.job(job.key)
                out = row.subject.stream is Stream.STDOUT
                path = (files.stdout if out else files.stderr)(job.record.attempt)
                paths[row.key] = path
        if paths:
            self._looking = True
            run_apart(self, lambda: self._stat(paths), failed=self._not_seen)

    def _not_seen(self) -> None:
        self._looking = False

    def _stat(self, paths: dict[RowKey, str]) -> None:
        facts: dict[RowKey, LogFacts] = {}
        for key, path in paths.items():
            try:
                found = os.stat(path)
            except OSError:
                continue
            facts[key] = LogFacts(found.st_size, found.st_mtime)
        self.post_message(self.LogsSeen(facts))

    def on_tree_logs_seen(self, message: LogsSeen) -> None:
        message.stop()
        self._looking = False
        self._logs = message.facts
        self.repaint()


def _job_of(row: RowKey) -> JobKey | None:
    """The job that a row tells of; None for a row of a set."""
    return row.subject.key if isinstance(row.subject, JobSubject) else None
