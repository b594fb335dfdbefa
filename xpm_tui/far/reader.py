"""The agent's answers -> deltas, as `store.reader` makes them of a disk; belongs to one thread.

One question a cycle tells whether anything came or went; what changed is asked by name. What was
read is kept in the same index as that of a workspace on this machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from xpm_engine.errors import NotAWorkspaceError, XpmError
from xpm_engine.remote.connection import Connection
from xpm_engine.verbs.clean import Transaction
from xpm_engine.workspace.index import Known, write_index
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_tui.far.details import Details
from xpm_tui.far.jobs import FarJobs
from xpm_tui.far.living import Living
from xpm_tui.far.place import FarPlace
from xpm_tui.far.runs import FarRuns
from xpm_tui.store.model import Delta
from xpm_tui.store.reader import NEARLY, Look, recall
from xpm_tui.store.subjects import RunKey

FIRST = 100
"""Jobs that are read before all others where nothing was known."""

PAINT = 0.2
"""Seconds that the screen has to paint them."""


class FarReader:
    """What was read of a workspace there; what `store.reader.Reader` is for one here."""

    def __init__(
        self,
        place: FarPlace,
        details: Details,
        *,
        clock: Callable[[], float] = time.time,
        trash: Callable[[], tuple[Transaction, ...]] = tuple,
    ) -> None:
        """`trash` asks which cleans lie in the trash there."""
        self.place = place
        self.workspace = place.here
        self.live_runs: frozenset[RunKey] = frozenset()
        self.trouble = ""
        """Why nothing can be remembered for the next time; empty if it can."""
        self.lost = ""
        """Why nothing can be asked now; empty if it can."""
        self._there = WorkspacePaths(place.root)
        self._details = details
        self._ask_trash = trash
        self._trash: tuple[Transaction, ...] = ()
        self._clock = clock
        self._at: float | None = None
        """When the machine was last asked, in seconds since 1970."""
        self._known = Known(place.here, clock=clock)
        self._living = Living()
        self._runs = FarRuns(place, self._known, self._living)
        self._jobs = FarJobs(place.root, self._known, self._living)
        self._connection: Connection | None = None
        self._stamps: dict[str, list[int] | None] = {}
        self._names: tuple[str, ...] | None = None
        self._begun: frozenset[RunKey] = frozenset()
        """The runs that go on, and those whose record is not there yet."""
        self._checked = False
        self._problem = ""

    @property
    def live_jobs(self) -> frozenset[JobKey]:
        """The jobs that can still change by themselves."""
        return self._jobs.live

    def remember(self) -> Delta | None:
        """What the workspace was like when it was last looked at; None if nobody knows."""
        return recall(self._known)

    def keep(self) -> None:
        """Remember for the next time what is known now, if it is worth it."""
        if self._checked and self._known.differs:
            self._known.differs = False
            self.trouble = write_index(self._known)

    def folders(self) -> tuple[str, ...]:
        """The folders, by their names here, where something appears when a plan does something."""
        here = self.workspace
        return (
            here.root,
            here.trash,
            here.experiments,
            *map(here.experiment, self._runs.folders),
            *(here.run(run.experiment, run.run).root for run in sorted(self._begun)),
            here.jobs,
            *(f"{here.jobs}/{task}" for task in self._jobs.tasks),
        )

    def read(self, look: Look) -> Iterator[Delta]:
        """Ask what changed; yields what is new, the experiments' latest runs first."""
        problem, was_lost = "", self.lost
        checked = 1.0
        try:
            connection = self.place.link.connection()
            self.lost = ""
            yield from self._read(connection, look)
            self._details.keep_up(connection)
            self._at = self._clock()
        except XpmError as error:
            # Of what was never looked at nothing is known, not even that it is empty.
            checked = 1.0 if self._checked else 0.0
            if self._connection is not None and self._connection.alive:
                problem = f"{error.where}: {error.what}" if error.where else error.what
            else:
                self.lost = error.what
        changed = problem != self._problem
        self._problem = problem
        as_of = self._at if self.lost and not was_lost else None
        yield Delta(problem=problem if changed else None, checked=checked, as_of=as_of)

    def _read(self, connection: Connection, look: Look) -> Iterator[Delta]:
        self._living.forget()
        if connection is not self._connection:
            self._connection = connection
            self._jobs.tell_known(connection)
            self._stamps.clear()
            look = Look(everything=True)
        different = self._different_folders(connection)
        there = self._there
        if self._stamps[there.root] is None:
            # What was seen stays on the screen: that it went is no reason to forget it.
            self._stamps.clear()
            raise NotAWorkspaceError("the folder is not there any more", where=there.root)
        latest: list[RunKey] = []
        older: list[RunKey] = []
        if (
            look.everything
            or look.runs
            or any(_is_in(each, there.experiments) for each in different)
        ):
            latest, older = self._runs.look(connection)
        latest += self._runs.crashed(connection)
        if not self._checked and not self._known.jobs and latest:
            yield from self._first(connection, latest)
        head = Delta(
            runs=dict(self._runs.read(connection, latest)),
            gone_runs=self._runs.forget_gone(),
            experiments=None if self._runs.experiments == self._names else self._runs.experiments,
        )
        self._names = self._runs.experiments
        everything = look.everything or there.jobs in different
        for part in self._read_jobs(connection, look, different, everything=everything):
            share = 1.0 if self._checked or not everything else min(part.checked, NEARLY)
            yield replace(head, jobs=part.jobs, checked=share)
            head = Delta()
        fresh = dict(self._runs.read(connection, older))
        runs = self._known.runs.items()
        self.live_runs = frozenset(RunKey(*name) for name, run in runs if run.view.live)
        unread = (RunKey(*name) for name, run in runs if run.view.record is None)
        self._begun = self.live_runs.union(unread)
        self._checked |= everything
        # What is being moved changes inside of the folder that is looked at.
        moving = any(clean.unfinished for clean in self._trash)
        trash = self._read_trash() if moving or there.trash in different else None
        yield replace(head, runs={**head.runs, **fresh}, trash=trash)

    def _read_trash(self) -> tuple[Transaction, ...] | None:
        """What lies in the trash there; None where that is as it was, or can't be told."""
        if self._stamps[self._there.trash] is None and not self._trash:
            return None
        try:
            found = self._ask_trash()
        except XpmError:
            # It takes a newer Python than looking does: then there is no branch for it.
            found = ()
        if found == self._trash:
            return None
        self._trash = found
        return found

    def _first(self, connection: Connection, latest: list[RunKey]) -> Iterator[Delta]:
        """The beginning of the newest run, before all else: something to look at."""
        newest = max(latest, key=lambda run: run.run)
        latest.remove(newest)
        runs = dict(self._runs.read(connection, [newest]))
        self._names = self._runs.experiments
        head = Delta(runs=runs, experiments=self._names, checked=0.0)
        keys = [line.key for view in runs.values() for line in view.manifest.references[:FIRST]]
        for part in self._jobs.look_at(connection, keys):
            yield replace(head, jobs=part.jobs)
            head = Delta(checked=0.0)
        # The screen paints meanwhile: one thread at a time is quicker.
        time.sleep(PAINT)

    def _different_folders(self, connection: Connection) -> frozenset[str]:
        """The folders there that are not as they were, by their names there."""
        paths = [self.place.there(path) for path in self.folders()]
        found = dict(zip(paths, connection.ask("stat", paths=paths)["stamps"], strict=True))
        different = frozenset(
            path
            for path, stamp in found.items()
            if path not in self._stamps or self._stamps[path] != stamp
        )
        self._stamps = found
        return different

    def _read_jobs(
        self, connection: Connection, look: Look, different: frozenset[str], *, everything: bool
    ) -> Iterator[Delta]:
        jobs = self._jobs
        if everything:
            yield from jobs.changes(connection, None)
        else:
            prefix = self._there.jobs + "/"
            tasks = [path[len(prefix) :] for path in different if path.startswith(prefix)]
            if tasks:
                yield from jobs.changes(connection, tasks)
        yield from jobs.look_at(connection, look.jobs | jobs.live)
        yield from jobs.look_at(connection, jobs.died(connection))


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
