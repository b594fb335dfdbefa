"""The one filter of the app: what is typed, which jobs it selects; no Textual in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain

from xpm_engine.collecting import not_collecting
from xpm_engine.errors import FilterError
from xpm_engine.filters import (
    Cell,
    Column,
    Completions,
    Filter,
    Getters,
    RowTable,
    Table,
    compile_filter,
    complete,
    flag_column,
)
from xpm_engine.verbs.jobs.facts import JobFacts, SeenJob, job_getters
from xpm_engine.verbs.jobs.snapshots import Snapshot
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import How
from xpm_tui.store import Changed, RunKey, Store
from xpm_tui.store.columns import AllColumns
from xpm_tui.store.rows import FEW
from xpm_tui.store.selected import Roll, Selected

ON_DISK = "size"
"""What is measured when a filter asks for it: in a thread."""

SLOWLY_MADE = ("needs", "neededby", "launcher")
"""Fields whose column takes longer to make than a key may, and that few ask for."""

TIMED = frozenset(("time", "wait", "age", "started", "ended"))
"""Fields of which a filter may say something else as time passes."""

AGES = 60.0
"""Seconds after which a filter that asks for times is asked again."""


@dataclass(frozen=True)
class Work:
    """A filter and the jobs that it is to be asked of."""

    chosen: Filter
    facts: Sequence[JobFacts[SeenJob]]
    """The jobs that are asked one by one: they changed, or it asks what no column tells."""
    table: RowTable[JobFacts[SeenJob]]
    """These as a table."""
    columns: AllColumns | Snapshot | None
    """All others; None for no others."""
    known: Sequence[str]
    """The names that can be asked, as far as no column tells them."""
    marks: frozenset[JobKey]
    apart: frozenset[JobKey]
    """The jobs of which the columns tell what was before."""
    asked: frozenset[JobKey] | None
    """The jobs that changed since the last answer; None if all jobs are asked."""

    def run(self) -> Answer:
        """Ask; from any thread."""
        if not isinstance(self.columns, Snapshot):
            return self._asked(self.columns)
        with not_collecting():
            columns = AllColumns(self.columns)
            if columns.rows > FEW:
                columns.warm()
            return self._asked(columns)

    def _asked(self, columns: AllColumns | None) -> Answer:
        names = dict.fromkeys((*self.known, *self.table.names()))
        names.update({} if columns is None else dict.fromkeys(columns.names()))
        known = tuple(names)
        part = self.chosen.select(_Part(self.table, known))
        faults = part.faults
        keys: Set[JobKey] = frozenset(facts.job.key for facts in part.of(self.facts))
        if columns is not None:
            selection = self.chosen.select(_Columns(columns, known, columns.keys, self.marks))
            faults = faults or selection.faults
            apart = self.apart.union(facts.job.key for facts in self.facts)
            keys = Selected(columns.roll, selection.mask).revised(apart, keys)
        elif self.asked is None:
            keys = Selected(Roll([facts.job.key for facts in self.facts]), part.mask)
        if faults:
            keys = Selected(Roll(()), b"") if self.asked is None else frozenset()
        return Answer(self, keys, faults, columns)


@dataclass(frozen=True)
class Answer:
    """What came of a `Work`."""

    work: Work
    keys: Set[JobKey]
    """The jobs that are selected, among those that were asked."""
    faults: tuple[FilterError, ...]
    """Names that no job has; then none is selected."""
    columns: AllColumns | None = None
    """All jobs as columns, where they were needed."""


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
        return _asks(self._filter, flag_column("marked"))

    @property
    def slow(self) -> bool:
        """Whether it reads the disk, or makes columns of many jobs: that belongs into a thread."""
        if self._filter.empty:
            return False
        if _asks(self._filter, ON_DISK):
            return True
        return (self._due is None or self._unknown) and self._lacks_columns(self._filter)

    def _lacks_columns(self, chosen: Filter) -> bool:
        """Whether columns of many jobs have to be made before a filter can be asked of all."""
        columns = self._kept.columns
        return self._store.known_count > FEW and (
            columns is None or any(_asks(chosen, name) for name in _lacking(columns))
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
        facts = self._facts(self._filter, filter(self._store.is_known, due))
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
        if _asks(chosen, ON_DISK):
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
            return complete(self.typed, cursor, _Part(self._rows(()), known))
        names = tuple(dict.fromkeys((*known, *kept.columns.names())))
        return complete(self.typed, cursor, _Ready(kept.columns, names))

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
        facts = self._facts(chosen, filter(self._store.is_known, self._kept.changed))
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

    def _latest_runs(self, key: JobKey) -> list[RunKey]:
        return [run for run in self._store.runs_of(key) if self._store.is_latest(run)]

    def _facts(self, chosen: Filter, keys: Iterable[JobKey]) -> list[JobFacts[SeenJob]]:
        """What only those know who see all runs, as far as the filter asks for it."""
        asked = list(keys)
        if not _asks(chosen, "neededby"):
            return [self._facts_of(key) for key in asked]
        needing = self._kept.dependants(asked, self._clock())
        return [self._facts_of(key, needing[key]) for key in asked]

    def _facts_of(self, key: JobKey, needing: Sequence[JobKey] = ()) -> JobFacts[SeenJob]:
        store = self._store
        runs = self._latest_runs(key)
        job = store.job(key, runs[0] if runs else store.home_of(key))
        needed_by = (*map(str, needing), *(run.experiment for run in runs))
        if not runs and "/" in job.record.run:
            runs = [RunKey(*job.record.run.split("/", 1))]
        index = store.index(runs[0]) if runs else None
        reference = None if index is None else index.references.get(key)
        view = None if index is None else index.view
        asked = reference is not None and reference.how in (How.NEW, How.RETRIED)
        return JobFacts(
            job,
            experiments=tuple(run.experiment for run in runs),
            runs=tuple(run.run for run in runs),
            needed_by=tuple(dict.fromkeys(needed_by)),
            asked=reference.at if reference is not None and asked else None,
            user="" if view is None or view.record is None else view.record.user,
        )

    def _getters(self) -> Getters[JobFacts[SeenJob]]:
        known = job_getters(self._store.workspace, now=self._clock())
        marked: Mapping[str, Callable[[JobFacts[SeenJob]], Cell]] = {
            flag_column("marked"): lambda facts: facts.job.key in self._marks
        }
        return replace(known, fields=dict(chain(known.fields.items(), marked.items())))


@dataclass(frozen=True, eq=False)
class _Part:
    """Some of the jobs, with the names of all."""

    table: Table
    known: Sequence[str]

    @property
    def rows(self) -> int:
        return self.table.rows

    def names(self) -> Sequence[str]:
        return self.known

    def column(self, name: str) -> Column | None:
        return self.table.column(name)


@dataclass(frozen=True, eq=False)
class _Ready(_Part):
    """All jobs, as far as a key can ask them at once."""

    def column(self, name: str) -> Column | None:
        waits = name == ON_DISK or (name in SLOWLY_MADE and self.rows > FEW)
        return None if waits else super().column(name)


@dataclass(frozen=True, eq=False)
class _Columns(_Part):
    """All jobs, and which of them are marked."""

    keys: Sequence[JobKey]
    marks: frozenset[JobKey]

    def column(self, name: str) -> Column | None:
        if name == flag_column("marked"):
            return Column((False, True), bytes(key in self.marks for key in self.keys))
        return super().column(name)


def _lacking(columns: AllColumns) -> Iterator[str]:
    """The fields that take long at first."""
    return (name for name in SLOWLY_MADE if not columns.has(name))


def _asks(chosen: Filter, name: str) -> bool:
    """Whether a filter asks for a field, or for a flag by its column's name."""
    for test, matcher in chosen.matchers.items():
        field = test.name.casefold()
        asked = map(flag_column, matcher.whole) if field == "is" else (field,)
        if name in asked:
            return True
    return False
