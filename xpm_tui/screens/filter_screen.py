"""The main screen as a filter narrows it, and as tables of many jobs are sorted: in threads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from xpm_engine.collecting import not_collecting
from xpm_engine.verbs.jobs.snapshots import Snapshot
from xpm_engine.workspace.layout import JobKey
from xpm_tui.filtering.job_filter import JobFilter, Search
from xpm_tui.filtering.work import Answer, Work
from xpm_tui.screens.arriving import Goal
from xpm_tui.screens.panes_screen import PanesScreen
from xpm_tui.session import Session
from xpm_tui.settling import settle
from xpm_tui.store import Changed, Store
from xpm_tui.store.columns import AllColumns
from xpm_tui.widgets.apart import run_apart
from xpm_tui.widgets.frame.filter_line import FilterLine
from xpm_tui.widgets.tree.model import RowKey

CALM = 1.0
"""Seconds without a key before what the next ones may ask for is worked out."""

AHEAD = 0.02
"""Seconds that this may take at once."""

PAUSE = 0.1
"""Seconds after which more of it is worked out."""


class FilterScreen(PanesScreen):
    """What is typed, what it selects, and what keys may ask for next."""

    class Answered(Message):
        """The filter was asked, in a thread."""

        def __init__(self, answer: Answer) -> None:
            super().__init__()
            self.answer = answer

    class Prepared(Message):
        """Columns of all jobs were made, in a thread."""

        def __init__(self, columns: AllColumns) -> None:
            super().__init__()
            self.columns = columns

    def __init__(self, store: Store, *, session: Session, goal: Goal) -> None:
        super().__init__(store, session=session, goal=goal)
        self._filter = JobFilter(store, clock=self.app.clock)
        self._filter_line = FilterLine(id="filter")
        self._find_from: Widget | None = None
        self._find_trail: Sequence[RowKey] = ()
        self._asking = False
        self._preparing = False
        self._prepared = False
        """Whether columns were made once: again only where something is sorted by them."""
        self._acted_at = 0.0
        self._ahead: Timer | None = None
        """When more is worked out of what keys may ask for."""

    @abstractmethod
    def _show_facts(self) -> None:
        """Tell, below, what is chosen and marked."""

    def _show_subject(self) -> None:
        super()._show_subject()
        self._prepare()

    # The filter

    def _ask(self) -> bool:
        """Ask the filter of what changed; False if that takes a thread, which tells later."""
        slow = self._filter.slow
        if slow and self._asking:
            return False
        work = self._filter.work()
        if work is None:
            return True
        if slow:
            self._asking = True
            run_apart(self, lambda: self._answer(work), failed=self._not_asked)
        elif not self._filter.take(work.run()):
            return self._ask()
        return not slow

    def _not_asked(self) -> None:
        self._asking = False

    def _answer(self, work: Work) -> None:
        """In a thread; ends in one message."""
        self.post_message(self.Answered(work.run()))

    def on_filter_screen_answered(self, message: Answered) -> None:
        message.stop()
        self._asking = False
        before = self._store.wanted
        self._filter.take(message.answer)
        settle(self._store)
        self._right.job_table.table.sort_at_last()
        # What was typed meanwhile is asked now, and may be answered at once.
        self._ask()
        if self._store.wanted is not before:
            self._show_narrowed()

    def _show_narrowed(self) -> None:
        """The filter selects other jobs than before."""
        before = self._tree.subject
        # What is half typed hides more than is meant.
        self._tree.show_narrowed(self._find_trail if self._filter_line.is_open else None)
        if self._tree.subject == before:
            self._right.refresh_from(self._store, Changed(filter=True))
        else:
            self._show_subject()
        self._show_facts()
        self._show_filter()

    def _show_filter(self) -> None:
        if self._filter_line.is_open:
            self._filter_line.show(
                self._filter.count_words,
                self._filter.fault,
                self._filter.completions,
                broken=self._filter.broken,
            )

    def _type(self, text: str) -> None:
        self._acted_at = monotonic()
        self._filter.type(text)
        self._show_answer()

    def _show_answer(self) -> None:
        before = self._store.wanted
        if self._ask() and self._store.wanted is not before:
            self._show_narrowed()
        else:
            self._show_facts()
            self._show_filter()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        message.stop()
        self._type(message.text)

    def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        message.stop()
        if message.kept:
            self._filter.finish()
            self._show_answer()
        self.set_focus(self._tree if self._find_from is None else self._find_from)

    def do_find(self) -> None:
        self._find_from = self.focused
        self._find_trail = self._tree.trail()
        self._filter_line.open(self._filter.text)
        self._filter.type(self._filter.text)
        self._show_filter()

    def find_jobs(self, text: str, then: Callable[[Iterable[JobKey]], None]) -> None:
        search = self._filter.search(text)
        if search is None:
            then(())
        elif search.slow:
            self.in_thread(search.work.run, lambda answer: self._tell_found(search, answer, then))
        else:
            then(self._filter.found(search, search.work.run()))

    def _tell_found(
        self, search: Search, answer: Answer, then: Callable[[Iterable[JobKey]], None]
    ) -> None:
        found = self._filter.found(search, answer)
        settle(self._store)
        then(found)

    # Before a key asks

    def _prepare(self) -> None:
        """Make the columns that a table of many jobs is sorted by, in a thread, before a key."""
        kept, table = self._store.kept, self._right.job_table
        if self._preparing or self._asking or not table.many or self._store.checked < 1.0:
            return
        unsorted = table.table.model.unsorted
        soon = self._right.has_focus_within and not self._prepared
        if kept.columns is None and (soon or unsorted):
            self._preparing = self._prepared = True
            snapshot = kept.snapshot(self.app.clock())
            run_apart(self, lambda: self._make(snapshot), failed=self._not_made)

    def _not_made(self) -> None:
        self._preparing = False

    def _make(self, snapshot: Snapshot) -> None:
        """In a thread; ends in one message."""
        with not_collecting():
            columns = AllColumns(snapshot)
            columns.warm()
        self.post_message(self.Prepared(columns))

    def on_filter_screen_prepared(self, message: Prepared) -> None:
        message.stop()
        self._preparing = False
        self._store.kept.take(message.columns)
        settle(self._store)
        self._right.job_table.table.sort_at_last()
        self._prepare()

    def _prepare_answers(self) -> None:
        """Work out what the next keys may ask for, so little at once that no key waits for it."""
        calm = self._store.checked == 1.0 and monotonic() - self._acted_at >= CALM
        if not calm or self._ahead is not None:
            return
        until, more = monotonic() + AHEAD, True
        while more and monotonic() < until:
            more = self._store.prepare()
        if more:
            self._ahead = self.set_timer(PAUSE, self._prepare_more)

    def _prepare_more(self) -> None:
        self._ahead = None
        if self.is_current:
            self._prepare_answers()
