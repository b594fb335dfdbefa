"""The one filter of the app: what is typed, which jobs it selects; no Textual in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

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
from xpm_engine.verbs.job_facts import JobFacts, SeenJob, job_getters
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.runs import How
from xpm_tui.store import Changed, Job, RunKey, Store
from xpm_tui.store.run_index import RunIndex

ON_DISK = ("size", "launcher", flag_column("pinned"))
"""What is read from the disk when a filter asks for it: in a thread."""

TIMED = frozenset(("time", "wait", "age", "started", "ended"))
"""Fields of which a filter may say something else as time passes."""

AGES = 60.0
"""Seconds after which a filter that asks for times is asked again."""


@dataclass(frozen=True)
class Work:
    """A filter and the jobs that it is to be asked of."""

    chosen: Filter
    facts: Sequence[JobFacts[SeenJob]]
    table: Table
    whole: bool
    """Whether these are all jobs, and not only those that changed."""

    def run(self) -> Answer:
        """Ask; from any thread."""
        selection = self.chosen.select(self.table)
        keys = frozenset(facts.job.key for facts in selection.of(self.facts))
        return Answer(self, keys, selection.faults)


@dataclass(frozen=True)
class Answer:
    """What came of a `Work`."""

    work: Work
    keys: frozenset[JobKey]
    """The jobs that are selected."""
    faults: tuple[FilterError, ...]
    """Names that no job has; then none is selected."""


class JobFilter:
    """What is typed; while that has a fault, the last filter without one goes on.

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
        self._compiled = 0.0
        self._facts: dict[JobKey, JobFacts[Job]] = {}
        self._indexes: dict[RunKey, RunIndex] = {}
        """The runs that were looked at, as they were then."""
        self._table: RowTable[JobFacts[SeenJob]] | None = None
        self._names: dict[str, None] = {}
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
        """Whether it reads the disk: its work belongs into a thread."""
        return any(_asks(self._filter, name) for name in ON_DISK)

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
        self.fault = None
        self.broken = False
        try:
            chosen = compile_filter(text, now=self._clock())
        except FilterError as error:
            self.fault = error
            self.broken = True
            return
        if chosen != self._filter:
            self._use(chosen)

    def mark(self, marks: frozenset[JobKey]) -> None:
        """These jobs are marked now."""
        changed = self._marks ^ marks
        self._marks = marks
        self._table = None
        if self.asks_marks:
            self._ask_again(changed)

    def note(self, changed: Changed) -> None:
        """The store took something new."""
        if changed:
            self._table = None
        if self._filter.empty:
            self._facts.clear()
        else:
            self._ask_again(changed.jobs)
            self._ask_again(self._in_other_light(changed))

    def grow_older(self) -> None:
        """Time has passed."""
        late = self._clock() - self._compiled > AGES
        if late and any(test.name.casefold() in TIMED for test in self._filter.matchers):
            self._facts.clear()
            self._use(compile_filter(self._filter.text, now=self._clock()))

    def work(self) -> Work | None:
        """What is to be asked now; None if nothing is."""
        if self._filter.empty:
            self._due = set()
            self._store.narrow(None)
            return None
        if self._due is None or self._unknown:
            self._due = set()
            table = self._whole()
            return Work(self._filter, table.items, table, whole=True)
        due, self._due = self._due, set()
        if not due:
            return None
        known = due.intersection(self._store.known())
        facts = [self._facts_of(key) for key in known]
        self._facts.update({found.job.key: found for found in facts})
        for key in due - known:
            self._facts.pop(key, None)
        part = RowTable[JobFacts[SeenJob]](facts, self._getters())
        self._names.update(dict.fromkeys(part.names()))
        return Work(self._filter, facts, _Part(part, tuple(self._names)), whole=False)

    def take(self, answer: Answer) -> bool:
        """Narrow the store to what was found; False if another filter was typed since."""
        if answer.work.chosen is not self._filter:
            return False
        self._unknown = bool(answer.faults)
        if self.fault is None and answer.faults:
            self.fault = answer.faults[0]
        kept: Iterable[JobKey] = ()
        if not answer.work.whole:
            asked = {facts.job.key for facts in answer.work.facts}
            known = self._store.known()
            kept = (self._store.wanted or frozenset()).difference(asked).intersection(known)
        self._store.narrow(answer.keys.union(kept))
        return True

    def find(self, text: str) -> list[JobKey]:
        """The jobs that a filter selects, without narrowing; those whose id begins so first.

        None where it can't be read, or asks for what is on the disk.
        """
        try:
            chosen = compile_filter(text, now=self._clock())
        except FilterError:
            return []
        if any(_asks(chosen, name) for name in ON_DISK):
            return []
        table = self._whole()
        found = [facts.job.key for facts in chosen.select(table).of(table.items)]
        return sorted(found, key=lambda key: not key.identifier.startswith(text.casefold()))

    def completions(self, cursor: int) -> Completions:
        """What may stand where the cursor is in what is typed."""
        return complete(self.typed, cursor, _InMemory(self._whole()))

    def _use(self, chosen: Filter) -> None:
        self._filter = chosen
        self._compiled = self._clock()
        self._due = None
        self._unknown = False

    def _ask_again(self, keys: Iterable[JobKey]) -> None:
        if self._due is not None:
            self._due.update(keys)

    def _in_other_light(self, changed: Changed) -> Iterator[JobKey]:
        """The jobs of runs that came, went or were read again, and not only of jobs that were."""
        if changed.experiments:
            yield from filter(self._is_new, self._store.known())
        for run in changed.runs:
            index = self._store.index(run)
            if index is not None and index is not self._indexes.get(run):
                self._indexes[run] = index
                yield from index.references

    def _is_new(self, key: JobKey) -> bool:
        """Whether the job is another than the one that was asked; the store keeps those it has."""
        facts = self._facts.get(key)
        return facts is None or facts.job is not self._store.job(key, self._light(key))

    def _whole(self) -> RowTable[JobFacts[SeenJob]]:
        """All jobs; its columns are kept until something changes."""
        if self._table is None:
            known = self._store.known()
            self._facts = {
                key: self._facts_of(key) if self._is_new(key) else self._facts[key] for key in known
            }
            facts = list(self._facts.values())
            self._table = RowTable[JobFacts[SeenJob]](facts, self._getters())
            self._names = dict.fromkeys(self._table.names())
        return self._table

    def _light(self, key: JobKey) -> RunKey | None:
        """The run in whose light a job is seen: of the latest runs the newest."""
        latest = self._latest_runs(key)
        return latest[0] if latest else self._store.home_of(key)

    def _latest_runs(self, key: JobKey) -> list[RunKey]:
        return [run for run in self._store.runs_of(key) if self._store.is_latest(run)]

    def _facts_of(self, key: JobKey) -> JobFacts[Job]:
        store = self._store
        runs = self._latest_runs(key)
        job = store.job(key, runs[0] if runs else store.home_of(key))
        needed_by = [run.experiment for run in runs]
        for run in runs:
            needed_by += map(str, store.dependants(key, run))
        if not runs and "/" in job.record.run:
            runs = [RunKey(*job.record.run.split("/", 1))]
        index = store.index(runs[0]) if runs else None
        reference = None if index is None else index.references.get(key)
        view = None if index is None else index.view
        if index is not None:
            self._indexes[index.key] = index
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
class _InMemory:
    """All jobs, without what would be read from the disk."""

    table: Table

    @property
    def rows(self) -> int:
        return self.table.rows

    def names(self) -> Sequence[str]:
        return self.table.names()

    def column(self, name: str) -> Column | None:
        return None if name in ON_DISK else self.table.column(name)


def _asks(chosen: Filter, name: str) -> bool:
    """Whether a filter asks for a field, or for a flag by its column's name."""
    for test, matcher in chosen.matchers.items():
        field = test.name.casefold()
        asked = map(flag_column, matcher.whole) if field == "is" else (field,)
        if name in asked:
            return True
    return False
