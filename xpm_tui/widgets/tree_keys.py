"""What keys and the mouse do in the tree: the `do_…` that the table of actions looks for."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events

from xpm_engine.workspace.records.states import JobState
from xpm_tui.store import FAILURES, JobSubject
from xpm_tui.widgets.tree import Tree
from xpm_tui.widgets.tree_lines import is_job, marker_place

TROUBLE = (*FAILURES, JobState.UNREADABLE)


class KeyTree(Tree):
    """A tree that is worked with keys and the mouse."""

    def do_down(self) -> None:
        self._go(self._cursor + 1)

    def do_up(self) -> None:
        self._go(self._cursor - 1)

    def do_first(self) -> None:
        self._go(0)

    def do_last(self) -> None:
        self._go(len(self.model.rows) - 1)

    def do_page_down(self) -> None:
        self._go(self._cursor + self.size.height)

    def do_page_up(self) -> None:
        self._go(self._cursor - self.size.height)

    def do_half_down(self) -> None:
        self._go(self._cursor + self.size.height // 2)

    def do_half_up(self) -> None:
        self._go(self._cursor - self.size.height // 2)

    def do_deeper(self) -> None:
        row = self.row
        if row is None or row.unfolded is None:
            return
        if row.unfolded:
            self._go(self._cursor + 1)
        else:
            self._fold(row, unfold=True)

    def do_shallower(self) -> None:
        row = self.row
        if row is None:
            return
        if row.unfolded:
            self._fold(row, unfold=False)
            return
        parent = self.model.parent(self._cursor)
        if parent is not None:
            self._go(parent)
        else:
            self.post_message(self.WorkspaceWanted())

    def do_open(self) -> None:
        if self.row is not None:
            self.post_message(self.Opened(self.row.subject))

    def do_mark(self) -> None:
        row = self.row
        if row is None or self._store is None:
            return
        keys = frozenset(self._store.keys(row.subject))
        if keys:
            self.post_message(self.MarksWanted(keys))
            if is_job(row):
                below = range(self._cursor + 1, len(self.model.rows))
                self._go(next((n for n in below if is_job(self.model.rows[n])), self._cursor))

    def do_group(self) -> None:
        self.model.by = self.model.by.following
        self._rebuild(keep_order=False)
        self.post_message(self.Moved(self.subject))

    def do_next_trouble(self) -> None:
        self._to_trouble(range(self._cursor + 1, len(self.model.rows)), "below")

    def do_previous_trouble(self) -> None:
        self._to_trouble(range(self._cursor - 1, -1, -1), "above")

    def _to_trouble(self, places: Iterable[int], where: str) -> None:
        for place in places:
            subject = self.model.rows[place].subject
            if isinstance(subject, JobSubject) and self._store is not None:
                job = self._store.job(subject.key, subject.run)
                if job.state in TROUBLE or job.drift:
                    self._go(place)
                    return
        self.notify(f"no unfolded job {where} is in trouble", markup=False, timeout=2)

    def on_click(self, event: events.Click) -> None:
        place = self.scroll_offset.y + event.y
        if not 0 <= place < len(self.model.rows):
            return
        row = self.model.rows[place]
        marker = marker_place(row)
        self._go(place)
        if row.unfolded is not None and marker <= event.x <= marker + 1:
            self._fold(row, unfold=not row.unfolded)
        elif event.chain == 2:
            self.do_open()
