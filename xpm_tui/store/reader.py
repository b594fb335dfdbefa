"""The disk -> deltas: what was remembered first, then what is different, and nothing else.

Belongs to one thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from xpm_engine.workspace.cleaning.transactions import Transaction, list_trash
from xpm_engine.workspace.index import JobRow, Known, read_index, write_index
from xpm_engine.workspace.index.stamps import Stamp
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.scan import JobRecord, RunView
from xpm_engine.workspace.standing import speaks_for_all
from xpm_tui.store.model import Delta
from xpm_tui.store.subjects import RunKey, latest_first

FIRST_PAUSE = 0.1
"""Seconds until what was found so far is handed on; the next time it is twice as long, …"""

LONGEST_PAUSE = 2.0
"""… but not longer than this: a screen must take what is handed on."""

NEARLY = 0.99
"""What is told to be looked at before the last of it was."""

LOOKS = 64
"""Jobs that are looked at between two looks at the clock."""


@dataclass(frozen=True)
class Look:
    """What to look at, besides what is live and what is new."""

    jobs: frozenset[JobKey] = frozenset()
    runs: frozenset[RunKey] = frozenset()
    everything: bool = False
    """Compare the stamp of every job and every run."""


def recall(known: Known) -> Delta | None:
    """Take in what was remembered of a workspace; None if nothing was."""
    found = read_index(known.workspace)
    if found is None:
        return None
    known.jobs.update(found.jobs)
    known.runs.update(found.runs)
    return Delta(
        jobs={key: row for key, (_, row) in found.jobs.items()},
        runs={RunKey(*name): run.view for name, run in found.runs.items()},
        experiments=tuple(sorted({experiment for experiment, _ in found.runs})),
        checked=0.0,
        as_of=found.at,
    )


class Reader:
    """What was read of a workspace, and how old it is."""

    def __init__(
        self, workspace: WorkspacePaths, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.workspace = workspace
        self.live_jobs: frozenset[JobKey] = frozenset()
        """The jobs that can still change by themselves."""
        self.live_runs: frozenset[RunKey] = frozenset()
        """The runs whose plan may still add to them."""
        self.trouble = ""
        """Why nothing can be remembered for the next time; empty if it can."""
        self.lost = ""
        """Why nothing can be asked: never here, for a disk is always asked."""
        self._known = Known(workspace, clock=clock)
        self._live: set[JobKey] = set()
        self._checked = False
        """Whether everything was compared with the folders once."""
        self._names: tuple[str, ...] | None = None
        self._trash: Stamp = None
        self._trashed: tuple[Transaction, ...] | None = None
        self._problem = ""

    def remember(self) -> Delta | None:
        """What the workspace was like when it was last looked at; None if nobody knows."""
        return recall(self._known)

    def keep(self) -> None:
        """Remember for the next time what is known now, if it is worth it."""
        if self._checked and self._known.differs:
            self._known.differs = False
            self.trouble = write_index(self._known)

    def folders(self) -> tuple[str, ...]:
        """The folders where something appears when a plan or a cleaner does something."""
        workspace = self.workspace
        return (
            workspace.root,
            workspace.experiments,
            *map(workspace.experiment, self._names or ()),
            *(workspace.run(run.experiment, run.run).root for run in sorted(self.live_runs)),
            workspace.jobs,
            *(f"{workspace.jobs}/{task}" for task in self._known.tasks),
            workspace.trash,
        )

    def read(self, look: Look) -> Iterator[Delta]:
        """Look at the disk; yields what is new, the experiments' latest runs first.

        A folder that can't be read becomes the `problem` of the last delta.
        """
        problem = ""
        try:
            os.stat(self.workspace.root)
            yield from self._read(look)
        except OSError as error:
            where = os.fsdecode(error.filename or self.workspace.root)
            problem = f"{where}: {error.strerror or error}"
        changed = problem != self._problem
        self._problem = problem
        yield Delta(problem=problem if changed else None)

    def _read(self, look: Look) -> Iterator[Delta]:
        names, runs = self._list_runs()
        gone_runs = frozenset(self._runs() - {*chain.from_iterable(runs)})
        self._known.forget_runs((run.experiment, run.run) for run in gone_runs)
        fresh: dict[RunKey, RunView] = {}
        older: list[RunKey] = []
        for each in runs:
            counting = self._read_counting(each, look, fresh)
            older += each[counting:]
        head = Delta(
            runs=fresh,
            gone_runs=gone_runs,
            experiments=names if names != self._names else None,
            trash=self._read_trash(look),
        )
        self._names = names
        for part in self._read_jobs(self._candidates(look, fresh)):
            yield replace(head, jobs=part.jobs, checked=part.checked)
            head = Delta()
        fresh = dict(self._read_runs(older, look))
        self._note_live()
        self._checked |= look.everything
        yield Delta(runs=fresh)

    # Runs

    def _runs(self) -> set[RunKey]:
        return {RunKey(*name) for name in self._known.runs}

    def _list_runs(self) -> tuple[tuple[str, ...], list[list[RunKey]]]:
        """The names of the experiments, and the runs of each, those of its plan first."""
        names, found = list[str](), list[list[RunKey]]()
        for name, runs in self._known.list_runs():
            names.append(name)
            found.append(latest_first([RunKey(name, run) for run in runs]))
        return tuple(names), found

    def _read_counting(
        self, runs: Sequence[RunKey], look: Look, fresh: dict[RunKey, RunView]
    ) -> int:
        """Read into `fresh` those that an experiment may stand on; how many these were."""
        for number, run in enumerate(runs, start=1):
            fresh.update(self._read_runs([run], look))
            known = self._known.runs.get((run.experiment, run.run))
            if known is not None and speaks_for_all(known.view):
                return number
        return len(runs)

    def _read_runs(self, runs: Sequence[RunKey], look: Look) -> Iterator[tuple[RunKey, RunView]]:
        for run in runs:
            name = (run.experiment, run.run)
            known = self._known.runs.get(name)
            if known is None or look.everything or run in look.runs or known.view.live:
                view = self._known.look_at_run(name)
                if view is not None:
                    yield run, view

    # Jobs

    def _candidates(self, look: Look, fresh: dict[RunKey, RunView]) -> list[JobKey]:
        """The jobs that may have changed, come or gone; those of fresh runs first."""
        known = self._known
        asked = {*look.jobs, *self.live_jobs, *known.young, *known.come_or_gone()}
        if look.everything:
            asked.update(known.jobs)
        if not fresh:
            return list(asked)
        first = [line.key for view in fresh.values() for line in view.manifest.references]
        return list(dict.fromkeys([*filter(asked.__contains__, first), *asked]))

    def _read_jobs(self, keys: Sequence[JobKey]) -> Iterator[Delta]:
        """What is new of these jobs: at first in small portions, with how far the check is."""
        found: dict[JobKey, JobRow] = {}
        pause, due = FIRST_PAUSE, time.monotonic() + FIRST_PAUSE
        for number, key in enumerate(keys, start=1):
            row = self._known.look_at_job(key)
            if row is not None:
                found[key] = row
                live = isinstance(row, JobRecord) and row.state.live
                (self._live.add if live else self._live.discard)(key)
            if number % LOOKS == 0 and time.monotonic() > due:
                yield Delta(jobs=found, checked=self._share(number / len(keys)))
                found = {}
                pause = min(2 * pause, LONGEST_PAUSE)
                due = time.monotonic() + pause
        yield Delta(jobs=found, checked=self._share(1.0))

    def _share(self, part: float) -> float:
        """How much was looked at: not all before all of it was."""
        return 1.0 if self._checked else min(part, NEARLY)

    def _note_live(self) -> None:
        runs = self._known.runs.items()
        self.live_runs = frozenset(RunKey(*name) for name, run in runs if run.view.live)
        self.live_jobs = frozenset(self._live)

    # Trash

    def _read_trash(self, look: Look) -> tuple[Transaction, ...] | None:
        stamp = self._known.stamps.of(self.workspace.trash)
        if not look.everything and stamp is not None and stamp == self._trash:
            return None
        self._trash = stamp
        found = list_trash(self.workspace)
        if found == self._trashed:
            return None
        self._trashed = found
        return found
