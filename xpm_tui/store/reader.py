"""The disk -> deltas: what was remembered first, then what is different, and nothing else.

Belongs to one thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, filterfalse

from xpm_engine.errors import NotAWorkspaceError, UnreadableError
from xpm_engine.workspace import scan
from xpm_engine.workspace.cleaning.transactions import list_trash
from xpm_engine.workspace.footing import Footing
from xpm_engine.workspace.index import keys_of
from xpm_engine.workspace.index.stamps import Stamp
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.runs import PlanState
from xpm_engine.workspace.scan import JobRecord, is_workspace
from xpm_engine.workspace.standing import speaks_for_all
from xpm_tui.store.memory import Memory
from xpm_tui.store.model import Delta
from xpm_tui.store.subjects import RunKey, latest_first

FIRST_PAUSE = 0.1
"""Seconds until what was found so far is handed on; the next time it is twice as long, …"""

LONGEST_PAUSE = 2.0
"""… but not longer than this: a screen must take what is handed on."""

NEARLY = 0.99
"""What is told to be looked at before the last of it was."""

TURNS = 5
"""Looks until every live job had its turn, where events tell of most: they say nothing of a process
that was killed, nor of what another host wrote."""

LOOKS = 64
"""Jobs that are looked at between two looks at the clock."""


@dataclass(frozen=True)
class Look:
    """What to look at, besides what is live and what is new."""

    jobs: frozenset[JobKey] = frozenset()
    runs: frozenset[RunKey] = frozenset()
    everything: bool = False
    """Compare the stamp of every job and every run."""
    heard: frozenset[JobKey] = frozenset()
    """The live jobs of which events tell; where there are any, live jobs are looked at in turns."""
    moved: frozenset[JobKey] = frozenset()
    """The jobs of which events told only that they told how far they are."""


class _Pace:
    """How far a look is, and when what it found is handed on next."""

    def __init__(self, total: int) -> None:
        self.done = 0
        """Jobs that were looked at; …"""
        self.total = total
        """… of so many."""
        self._pause = FIRST_PAUSE
        self.due = time.monotonic() + self._pause

    def rest(self) -> None:
        """It was handed on."""
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self.due = time.monotonic() + self._pause


class Reader:
    """What was read of a workspace, and how old it is."""

    lost = ""
    """Why nothing can be asked: never here, for a disk is always asked."""

    def __init__(
        self, workspace: WorkspacePaths, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.workspace = workspace
        self.memory = Memory(workspace, clock=clock)
        self.live_jobs: frozenset[JobKey] = frozenset()
        """The jobs that can still change by themselves."""
        self.live_runs: frozenset[RunKey] = frozenset()
        """The runs whose plan may still add to them."""
        self._known = self.memory.known
        self._live: set[JobKey] = set()
        self._broken = False
        """Whether the last reading ended before its time."""
        self._trash: Stamp = None
        self._turn = 0

    def folders(self) -> tuple[str, ...]:
        """The folders where something appears when a plan or a cleaner does something."""
        workspace = self.workspace
        growing = self.live_runs.union(RunKey(*name) for name in self._known.young_runs)
        return (
            workspace.root,
            workspace.experiments,
            *map(workspace.experiment, self.memory.experiments or ()),
            *(workspace.run(run.experiment, run.run).root for run in sorted(growing)),
            workspace.jobs,
            *(f"{workspace.jobs}/{task}" for task in self._known.tasks),
            workspace.trash,
        )

    def read(self, look: Look) -> Iterator[Delta]:
        """Look at the disk; yields what is new, the experiments' latest runs first.

        A folder that can't be read becomes the `problem` of the last delta; what is known of it
        stays, and all else is read. Where the workspace goes away meanwhile, that is one, and
        nothing that was seen is taken for gone.
        """
        problem, workspace = "", self.workspace
        try:
            self._known.unlisted.clear()
            self._known.footing = Footing(workspace.root)
            self.memory.check_filled(workspace.root, empty=not is_workspace(workspace))
            if self._broken:
                look = replace(look, everything=True)
                self._known.distrust()
            yield from self._read(look)
            # What was listed as empty is told by no stamp.
            self._known.check()
            self._broken = False
            for error in self._known.unlisted.values():
                problem = problem or self._words(error)
        except NotAWorkspaceError as error:
            problem = f"{error.where}: {error.what}"
            self._broken = True
        except OSError as error:
            problem = self._words(error)
            self._broken = True
        yield self.memory.tell(problem=problem)

    def _words(self, error: OSError) -> str:
        where = os.fsdecode(error.filename or self.workspace.root)
        return f"{where}: {error.strerror or error}"

    def _read(self, look: Look) -> Iterator[Delta]:
        memory, known = self.memory, self._known
        fresh: list[tuple[RunKey, list[JobKey]]] = []
        older: list[RunKey] = []
        listed = self._list_runs()
        unseen: frozenset[JobKey] = frozenset()
        if not memory.checked:
            # The rows of what is read first are not to wait for the manifests of all others.
            unseen = frozenset(known.come_or_gone()) - known.jobs.keys()
            listed.sort(key=self._first_sight, reverse=True)
        pace = _Pace(len(known.jobs) + len(unseen))
        looked: set[JobKey] = set()
        for runs in listed:
            start = len(fresh)
            counting = self._read_counting(runs, look, fresh)
            older += runs[counting:]
            if unseen:
                named = dict.fromkeys(chain.from_iterable(keys for _, keys in fresh[start:]))
                new = [key for key in named if key in unseen and key not in looked]
                looked.update(new)
                yield from self._read_jobs(new, look, pace)
        self._read_trash(look)
        self._turn = (self._turn + 1) % TURNS
        fresh.sort(key=self._urgency, reverse=True)
        first = chain.from_iterable(keys for _, keys in fresh)
        keys = self._candidates(look, first, unseen, looked)
        pace.total = pace.done + len(keys)
        yield from self._read_jobs(keys, look, pace)
        if look.everything and memory.checked:
            others = filterfalse({*keys, *looked}.__contains__, known.differing())
            yield from self._read_jobs(others, look, pace)
        yield memory.tell(checked=self._share(1.0))
        self._read_runs(older, look)
        self.live_runs = memory.live_runs()
        self.live_jobs = frozenset(self._live)
        memory.checked |= look.everything
        yield memory.tell()

    # Runs

    def _list_runs(self) -> list[list[RunKey]]:
        """The runs of each experiment, those of its plan first."""
        names, found = list[str](), list[list[RunKey]]()
        for name, runs in self._known.list_runs():
            names.append(name)
            found.append(latest_first([RunKey(name, run) for run in runs]))
        self.memory.keep_runs(chain.from_iterable(found))
        self.memory.name_experiments(tuple(names))
        return found

    def _first_sight(self, runs: Sequence[RunKey]) -> tuple[bool, str]:
        """As `_urgency`, of an experiment of which nothing was read yet but its runs' names."""
        live, newest = False, max((run.run for run in runs), default="")
        for run in runs[:1]:
            with suppress(OSError, UnreadableError):
                record = scan.read_run_record(self.workspace.run(run.experiment, run.run))
                live = scan.plan_state(record) is PlanState.RUNNING
        return live, newest

    def _urgency(self, part: tuple[RunKey, object]) -> tuple[bool, str]:
        """What runs stands above, on the screen, and then what ran last."""
        run, _ = part
        known = self._known.runs.get((run.experiment, run.run))
        return known is not None and known.view.live, run.run

    def _read_counting(
        self, runs: Sequence[RunKey], look: Look, fresh: list[tuple[RunKey, list[JobKey]]]
    ) -> int:
        """Read those that an experiment may stand on, and how many these were.

        The jobs of those that changed go to `fresh`.
        """
        for number, run in enumerate(runs, start=1):
            fresh.append((run, self._read_runs([run], look)))
            known = self._known.runs.get((run.experiment, run.run))
            if known is not None and speaks_for_all(known.view):
                return number
        return len(runs)

    def _read_runs(self, runs: Sequence[RunKey], look: Look) -> list[JobKey]:
        """Read those that may have changed; the jobs of those that did."""
        found: list[JobKey] = []
        for run in runs:
            name = (run.experiment, run.run)
            known = self._known.runs.get(name)
            asked = look.everything or run in look.runs or name in self._known.young_runs
            if known is None or known.view.live or asked:
                view = self._known.look_at_run(name)
                if view is not None:
                    self.memory.take_run(run, view)
                    found += keys_of(view.manifest)
        return found

    # Jobs

    def _candidates(
        self, look: Look, first: Iterable[JobKey], unseen: Set[JobKey], looked: Set[JobKey]
    ) -> list[JobKey]:
        """The jobs that may have changed, come or gone; in the order of `first`.

        So may those that were `unseen` before this look, and not those that it has `looked` at.
        """
        known = self._known
        live = self.live_jobs
        young = known.young
        if look.heard:
            live = frozenset(filter(self._has_turn, live)) | (live - look.heard)
            young = {key for key in young if key not in look.heard or self._has_turn(key)}
        asked = {*look.jobs, *look.moved, *live, *young, *known.come_or_gone()}
        asked |= self.memory.restarts.due()
        if look.everything:
            asked.update(known.unstarted, () if self.memory.checked else known.jobs)
        asked |= unseen
        asked -= looked
        return list(dict.fromkeys([*filter(asked.__contains__, first), *asked]))

    def _has_turn(self, key: JobKey) -> bool:
        return hash(key) % TURNS == self._turn

    def _read_jobs(self, keys: Iterable[JobKey], look: Look, pace: _Pace) -> Iterator[Delta]:
        """What is new of these jobs: at first in small portions, with how far the check is."""
        memory = self.memory
        for key in keys:
            ask = not look.heard or look.everything or self._has_turn(key) or key in look.jobs
            row = self._known.look_at_job(key, ask=ask)
            if row is not None:
                memory.take_job(key, row)
                live = isinstance(row, JobRecord) and row.state.live
                (self._live.add if live else self._live.discard)(key)
            pace.done += 1
            if (memory.checked or pace.done % LOOKS == 0) and time.monotonic() > pace.due:
                yield memory.tell(checked=self._share(pace.done / max(pace.done, pace.total)))
                pace.rest()

    def _share(self, part: float) -> float:
        """How much was looked at: not all before all of it was."""
        return 1.0 if self.memory.checked else min(part, NEARLY)

    # Trash

    def _read_trash(self, look: Look) -> None:
        # That a clean goes on, and is over, is told by its own folder in that of the trash.
        try:
            names = self._known.stamps.folders_in(self.workspace.trash)
            cleans = (self.workspace.transaction(name).root for name in names)
            stamp = self._known.stamps.of(self.workspace.trash, *cleans)
            if not look.everything and stamp is not None and stamp == self._trash:
                return
            found = list_trash(self.workspace)
        except OSError as error:
            self._known.unlisted[self.workspace.trash] = error
            return
        self._known.check()
        self.memory.fill_trash(found)
        self._trash = stamp
