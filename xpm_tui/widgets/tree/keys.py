"""What keys and the mouse do in the tree: the `do_…` that the table of actions looks for."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.states import JobState
from xpm_tui.store import FAILURES, JobSubject, LogSubject
from xpm_tui.widgets.tree.lines import is_job, marker_place
from xpm_tui.widgets.tree.model import RowKey, TreeRow
from xpm_tui.widgets.tree.tree import Tree

TROUBLE = (*FAILURES, JobState.UNREADABLE)


_TROUBLE_KEYS = ("next_trouble", "previous_trouble")


class KeyTree(Tree):
    """A tree that is worked with keys and the mouse."""

    _range_from: RowKey | None = None
    """Where the range was begun that `space` marks."""
    _troubled: tuple[object, int, list[int]] = (None, -1, [])
    """Of which rows, and of which version of the store, these are in trouble."""

    @property
    def idle(self) -> frozenset[str]:
        """The actions that find nothing to do on this row."""
        if self.row is None:
            return frozenset(("open", "mark", "mark_range", "mark_all", "log", *_TROUBLE_KEYS))
        idle: set[str] = set()
        places = self._in_trouble()
        if not places or places[-1] <= self._cursor:
            idle.add("next_trouble")
        if not places or places[0] >= self._cursor:
            idle.add("previous_trouble")
        if not isinstance(self.row.subject, (JobSubject, LogSubject)):
            idle.add("log")
        if self._store is None or not (self.chosen() or self._store.size(self.row.subject)):
            idle.add("mark")
        return frozenset(idle)

    def _in_trouble(self) -> list[int]:
        """The rows that `e` stops at; looked for once, until there are other rows."""
        rows, store = self.model.rows, self._store
        version = 0 if store is None else store.version
        if self._troubled[0] is not rows or self._troubled[1] != version:
            places = [place for place, row in enumerate(rows) if self._is_in_trouble(row)]
            self._troubled = rows, version, places
        return self._troubled[2]

    def _is_in_trouble(self, row: TreeRow) -> bool:
        if not isinstance(row.subject, JobSubject) or self._store is None:
            return False
        job = self._store.job(row.subject.key, row.subject.run)
        return job.state in TROUBLE or bool(job.drift)

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
        """Mark the jobs of the row, or of the range that was begun; or take their marks away."""
        row = self.row
        if row is None or self._store is None:
            return
        in_range = self.chosen()
        keys = in_range or frozenset(self._store.keys(row.subject))
        self._range_from = None
        if not keys:
            self.notify("there is no job here to mark", markup=False, timeout=2)
            return
        self.post_message(self.MarksWanted(keys))
        if is_job(row) and not in_range:
            below = range(self._cursor + 1, len(self.model.rows))
            self._go(next((n for n in below if is_job(self.model.rows[n])), self._cursor))

    def do_mark_range(self) -> None:
        """Begin a range at the cursor, or give it up."""
        begun = self._range_from is not None or self.row is None
        self._range_from = None if begun else self._cursor_key
        self.repaint()

    def do_mark_all(self) -> None:
        """Mark the jobs of every row that is shown."""
        keys = _jobs_in(self.model.rows)
        if keys:
            # Asked for all at once, they would be unmarked where all are marked.
            self.post_message(self.MarksWanted(keys - self._marks or keys))
        else:
            self.notify("no job is unfolded: space marks what is folded", markup=False, timeout=2)

    def do_back(self) -> bool:
        """Give up the range; False if there was none."""
        if self._range_from is None:
            return False
        self._range_from = None
        self.repaint()
        return True

    def chosen(self) -> frozenset[JobKey]:
        start = None if self._range_from is None else self.model.place(self._range_from)
        if start is None:
            return frozenset()
        first, last = sorted((start, self._cursor))
        return _jobs_in(self.model.rows[first : last + 1])

    def move_to_sibling(self, step: int) -> bool:
        """Move to the next row of the same kind in the same place; False if there is none."""
        row, place = self.row, self._cursor + step
        while row is not None and 0 <= place < len(self.model.rows):
            other = self.model.rows[place]
            if other.depth < row.depth:
                return False
            if other.depth == row.depth and type(other.subject) is type(row.subject):
                self._go(place)
                return True
            place += step
        return False

    def do_next_hit(self) -> None:
        self.notify("every row shown is a hit", markup=False, timeout=2)

    def do_previous_hit(self) -> None:
        self.do_next_hit()

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
            if self._is_in_trouble(self.model.rows[place]):
                self._go(place)
                return
        self.notify(f"no unfolded job {where} is in trouble", markup=False, timeout=2)

    def on_click(self, event: events.Click) -> None:
        self._placed = True
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


def _jobs_in(rows: Iterable[TreeRow]) -> frozenset[JobKey]:
    """The jobs that have one of these rows for themselves."""
    subjects = (row.subject for row in rows if is_job(row))
    return frozenset(subject.key for subject in subjects if isinstance(subject, JobSubject))
