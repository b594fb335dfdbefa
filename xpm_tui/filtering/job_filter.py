"""The one filter of the app: what is typed, and which jobs it selects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from xpm_engine.errors import FilterError
from xpm_engine.filters import (
    Cell,
    Completions,
    Filter,
    Getters,
    RowTable,
    compile_filter,
    complete,
    flag_column,
)
from xpm_engine.verbs.jobs.facts import JobFacts, SeenJob, job_getters
from xpm_engine.verbs.jobs.snapshots import Snapshot
from xpm_engine.workspace.layout import JobKey
from xpm_tui.filtering.facts import FilterFacts
from xpm_tui.filtering.tables import ON_DISK, Part, Ready, asks, lacking
from xpm_tui.filtering.work import Answer, Work
from xpm_tui.store import Changed, Store
from xpm_tui.store.columns import AllColumns
from xpm_tui.store.rows import FEW
from xpm_tui.store.selected import Roll, Selected

TIMED = frozenset(("time", "wait", "age", "started", "ended"))
"""Fields of which a filter may say something else as time passes."""

AGES = 60.0
"""Seconds after which a filter that asks for times is asked again."""


@dataclass(frozen=True)
class Search:
    """A filter that narrows nothing."""

    text: str
    work: Work
    slow: bool
    """Whether it makes columns of many jobs: that belongs into a thread."""


_DIGITS = frozenset("0123456789abcdef")
"""What identifiers are made of."""


class JobFilter:
    """What is typed; while that has a fault, the last filter without one goes on. A word that is
    not finished, selects nothing as it stands and may become one that does is left out meanwhile.

    After every change `work` says what is to be asked, and `take` hands the answer to the store,
    which from then on knows only the jobs that are selected.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self.typed = ""
        self.broken = False
        """Whether what is typed can't be read."""
        self.fault: FilterError | None = None
        """What is wrong with what is typed, or which name no job has."""
        self._store = store
        self._clock = clock
        self._marks: frozenset[JobKey] = frozenset()
        self._filter = compile_filter("", now=0.0)
        self._typing = False
        self._left_out = False
        """Whether the last word of what is typed is, so that another filter is asked."""
        self._before = self._filter
        """The one before what is typed now."""
        self._compiled = 0.0
        self._kept = store.kept
        self._facts = FilterFacts(store, clock)
        self._unknown = False
        self._due: set[JobKey] | None = set()
        """The jobs that are to be asked again; None for all."""

    @property
    def text(self) -> str:
        """The filter that holds: the last one typed that could be read."""
        return "" if self._filter.empty else self._filter.text

    @property
    def asks_marks(self) -> bool:
        """Whether it asks which jobs are marked."""
        return asks(self._filter, flag_column("marked"))

    @property
    def slow(self) -> bool:
        """Whether it reads the disk, or makes columns of many jobs: that belongs into a thread."""
        if self._filter.empty:
            return False
        if asks(self._filter, ON_DISK):
            return True
        return (self._due is None or self._unknown) and self._lacks_columns(self._filter)

    def _lacks_columns(self, chosen: Filter) -> bool:
        """Whether columns of many jobs have to be made before a filter can be asked of all."""
        columns = self._kept.columns
        return self._store.known_count > FEW and (
            columns is None or any(asks(chosen, name) for name in lacking(columns))
        )

    @property
    def words(self) -> str:
        """``/lr>0.01  27 of 160``; empty without a filter."""
        return "" if self._filter.empty else f"/{self.text}  {self.count_words}"

    @property
    def count_words(self) -> str:
        """``27 of 160``."""
        total = self._store.known_count
        wanted = self._store.wanted
        return f"{total if wanted is None else len(wanted):,} of {total:,}"

    def type(self, text: str) -> None:
        """This is typed now."""
        self.typed = text
        self._typing = True
        self._read()

    def finish(self) -> None:
        """Nothing more is typed: what there is holds as it stands."""
        self._typing = False
        self._read()

    def _read(self) -> None:
        text = self.typed
        self.fault = None
        self.broken = False
        try:
            chosen = compile_filter(text, now=self._clock())
        except FilterError as error:
            self.fault = error
            self.broken = True
            return
        self._left_out = False
        if chosen != self._filter:
            self._before = self._filter
            self._use(chosen)

    def mark(self, marks: frozenset[JobKey]) -> None:
        """These jobs are marked now."""
        before, self._marks = self._marks, marks
        if self.asks_marks:
            self._ask_again(before ^ marks)

    def note(self, changed: Changed) -> None:
        """The store took something new."""
        if self._filter.empty:
            return
        if self._kept.columns is None:
            self._due = None
        self._ask_again(self._kept.touched(changed))

    def grow_older(self) -> None:
        """Time has passed."""
        late = self._clock() - self._compiled > AGES
        if late and any(test.name.casefold() in TIMED for test in self._filter.matchers):
            self._kept.forget()
            self._use(compile_filter(self._filter.text, now=self._clock()))

    def work(self) -> Work | None:
        """What is to be asked now; None if nothing is."""
        if self._filter.empty:
            self._due = set()
            self._store.narrow(None)
            return None
        if self._due is None or self._unknown:
            self._due = set()
            return self._whole(self._filter)
        due, self._due = self._due, set()
        if not due:
            return None
        facts = self._facts.of(self._filter, filter(self._store.is_known, due))
        return self._work(self._filter, facts, None, asked=frozenset(due))

    def take(self, answer: Answer) -> bool:
        """Narrow the store to what was found; False if another filter was typed since.

        Where it selects what was selected before, the store's answer stays the same object.
        """
        if answer.columns is not None:
            self._kept.take(answer.columns)
        if answer.work.chosen is not self._filter:
            return False
        self._unknown = bool(answer.faults)
        if self.fault is None and answer.faults:
            self.fault = answer.faults[0]
        before, found, asked = self._store.wanted, answer.keys, answer.work.asked
        begun = None if found or asked is not None else self._begun_word()
        if begun is not None:
            self._left_out = True
            self._use(self._without(begun))
            return False
        if asked is not None:
            found = (before or Selected(Roll(()), b"")).revised(asked, found)
        assert isinstance(found, Selected)
        if not found.same_as(before):
            self._store.narrow(found)
        return True

    def search(self, text: str) -> Search | None:
        """To find the jobs that a filter selects, without narrowing; None where it can't be read,
        or asks for what is on the disk."""
        try:
            chosen = compile_filter(text, now=self._clock())
        except FilterError:
            return None
        if asks(chosen, ON_DISK):
            return None
        return Search(text, self._whole(chosen), slow=self._lacks_columns(chosen))

    def found(self, search: Search, answer: Answer) -> Iterable[JobKey]:
        """The jobs that a search found; those whose identifier begins so first."""
        if answer.columns is not None:
            self._kept.take(answer.columns)
        keys, start = answer.keys, search.text.casefold()
        if not _DIGITS.issuperset(start):
            return keys
        # Whoever lists only some of very many takes only these.
        return chain(
            (key for key in keys if key.identifier.startswith(start)),
            (key for key in keys if not key.identifier.startswith(start)),
        )

    def completions(self, cursor: int) -> Completions:
        """What may stand where the cursor is in what is typed."""
        kept = self._kept
        if kept.columns is None and self._store.known_count <= FEW:
            kept.take(AllColumns(kept.snapshot(self._clock())))
        known = tuple(self._getters().fields)
        if kept.columns is None:
            return complete(self.typed, cursor, Part(self._rows(()), known))
        names = tuple(dict.fromkeys((*known, *kept.columns.names())))
        return complete(self.typed, cursor, Ready(kept.columns, names))

    def _begun_word(self) -> int | None:
        """Where the last word begins, if something else is offered that begins with it."""
        if not self._typing or self._left_out or self.fault is not None:
            return None
        found = self.completions(len(self.typed))
        word = self.typed[found.start :].casefold()
        offered = [item.text.casefold() for item in found.items]
        if not word or word in offered or not any(text.startswith(word) for text in offered):
            return None
        return found.start

    def _without(self, begun: int) -> Filter:
        """The filter of what is typed before this place; where that is none, the one of before."""
        try:
            return compile_filter(self.typed[:begun].rstrip(), now=self._clock())
        except FilterError:
            return self._before

    def _use(self, chosen: Filter) -> None:
        self._filter = chosen
        self._compiled = self._clock()
        self._due = None
        self._unknown = False

    def _ask_again(self, keys: Iterable[JobKey]) -> None:
        if self._due is not None:
            self._due.update(keys)

    def _whole(self, chosen: Filter) -> Work:
        """To ask all jobs: by columns, and one by one those that changed since."""
        columns = self._kept.columns or self._kept.snapshot(self._clock())
        facts = self._facts.of(chosen, filter(self._store.is_known, self._kept.changed))
        return self._work(chosen, facts, columns)

    def _work(
        self,
        chosen: Filter,
        facts: Sequence[JobFacts[SeenJob]],
        columns: AllColumns | Snapshot | None,
        *,
        asked: frozenset[JobKey] | None = None,
    ) -> Work:
        rows, known = self._rows(facts), self._kept.columns
        names = () if known is None else known.names()
        apart = frozenset(self._kept.changed)
        return Work(chosen, facts, rows, columns, names, self._marks, apart, asked)

    def _rows(self, facts: Sequence[JobFacts[SeenJob]]) -> RowTable[JobFacts[SeenJob]]:
        return RowTable(facts, self._getters())

    def _getters(self) -> Getters[JobFacts[SeenJob]]:
        known = job_getters(self._store.workspace, now=self._clock())
        marked: Mapping[str, Callable[[JobFacts[SeenJob]], Cell]] = {
            flag_column("marked"): lambda facts: facts.job.key in self._marks
        }
        return replace(known, fields=dict(chain(known.fields.items(), marked.items())))
