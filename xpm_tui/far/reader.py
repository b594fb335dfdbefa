"""The agent's answers -> deltas, as `store.reader` makes them of a disk; belongs to one thread.

One question a cycle tells whether anything came or went; what changed is asked by name. What was
read is kept in the same index as that of a workspace on this machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from xpm_engine.errors import NotAWorkspaceError, XpmError
from xpm_engine.remote.connection import Connection
from xpm_engine.verbs.cleaning.clean import Transaction
from xpm_engine.workspace.index import state_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_tui.far.details import Details
from xpm_tui.far.jobs import FarJobs
from xpm_tui.far.living import Living
from xpm_tui.far.place import FarPlace
from xpm_tui.far.runs import FarRuns
from xpm_tui.store.memory import Memory
from xpm_tui.store.model import Delta
from xpm_tui.store.reader import NEARLY, Look
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
        self.memory = Memory(place.here, clock=clock)
        self.lost = ""
        """Why nothing can be asked now; empty if it can."""
        self._there = WorkspacePaths(place.root)
        self._details = details
        self._ask_trash = trash
        self._clock = clock
        self._at: float | None = None
        """When the machine was last asked, in seconds since 1970."""
        known = self.memory.known
        self._living = Living()
        self._runs = FarRuns(place, known, self._living, self._check_standing)
        self._jobs = FarJobs(place.root, known, self._living)
        self._connection: Connection | None = None
        self._gone = False
        """Whether a job went since the trash was listed."""
        self._stamps: dict[str, list[int] | None] = {}
        self._begun: frozenset[RunKey] = frozenset()
        """The runs that go on, and those whose record is not there yet."""

    @property
    def live_jobs(self) -> frozenset[JobKey]:
        """The jobs that can still change by themselves."""
        return self._jobs.live

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
            for path, why in (*self._jobs.closed.items(), *self._runs.closed.items()):
                problem = problem or f"{path}: {why}"
        except XpmError as error:
            # What was told to differ was not looked at: it is told again.
            self._stamps.clear()
            self._jobs.forget_texts()
            # Of what was never looked at nothing is known, not even that it is empty.
            checked = 1.0 if self.memory.checked else 0.0
            if self._connection is not None and self._connection.alive:
                problem = f"{error.where}: {error.what}" if error.where else error.what
            else:
                self.lost = error.what
        as_of = self._at if self.lost and not was_lost else None
        yield self.memory.tell(problem=problem, checked=checked, as_of=as_of)

    def _read(self, connection: Connection, look: Look) -> Iterator[Delta]:
        self._living.forget()
        if connection is not self._connection:
            self._connection = connection
            self._jobs.tell_known(connection)
            self._stamps.clear()
            look = Look(everything=True)
        different = self._different_folders(connection)
        there = self._there
        # What was seen stays on the screen: that it went is no reason to forget it.
        if self._stamps[there.root] is None:
            raise NotAWorkspaceError("the folder is not there any more", where=there.root)
        parts = (there.jobs, there.experiments, there.trash)
        empty = all(self._stamps[path] is None for path in parts)
        memory = self.memory
        memory.check_filled(there.root, empty=empty)
        latest: list[RunKey] = []
        older: list[RunKey] = []
        if (
            look.everything
            or look.runs
            or any(_is_in(each, there.experiments) for each in different)
        ):
            latest, older = self._runs.look(connection)
            memory.keep_runs(self._runs.there)
            memory.name_experiments(tuple(sorted({run.experiment for run in self._runs.there})))
        latest += self._runs.crashed(connection)
        if not memory.checked and not memory.known.jobs and latest:
            yield from self._first(connection, latest)
        self._read_runs(connection, latest)
        everything = look.everything or there.jobs in different
        for part in self._read_jobs(connection, look, different, everything=everything):
            share = 1.0 if memory.checked or not everything else min(part, NEARLY)
            yield memory.tell(checked=share)
        self._read_runs(connection, older)
        runs = memory.known.runs.items()
        unread = (RunKey(*name) for name, run in runs if run.view.record is None)
        self._begun = memory.live_runs().union(unread)
        memory.checked |= everything
        # What is being moved changes inside of the folder that is looked at.
        moving = any(clean.unfinished for clean in memory.trash or ())
        if moving or self._gone or there.trash in different:
            self._gone = False
            self._read_trash(connection)
        yield memory.tell()

    def _read_runs(self, connection: Connection, runs: Iterable[RunKey]) -> None:
        for run, view in self._runs.read(connection, runs):
            self.memory.take_run(run, view)

    def _read_trash(self, connection: Connection) -> None:
        if self._stamps[self._there.trash] is None and not self.memory.trash:
            return
        try:
            found = self._ask_trash()
        except XpmError:
            # It takes a newer Python than looking does: then there is no branch for it.
            return
        if not found:
            self._check_standing(connection)
        self.memory.fill_trash(found)

    def _check_standing(self, connection: Connection) -> None:
        """That what is absent there is not absent because all of it went away meanwhile.

        Raises NotAWorkspaceError.
        """
        root = self._there.root
        first, (found,) = self._stamps[root], connection.ask("stat", paths=[root])["stamps"]
        if first is None or found is None or found[0] != first[0]:
            raise NotAWorkspaceError("the folder is not there any more", where=root)

    def _first(self, connection: Connection, latest: list[RunKey]) -> Iterator[Delta]:
        """The beginning of the newest run, before all else: something to look at."""
        newest = max(latest, key=lambda run: run.run)
        latest.remove(newest)
        self._read_runs(connection, [newest])
        views = self.memory.runs.values()
        keys = [line.key for view in views for line in view.manifest.references[:FIRST]]
        for part in self._jobs.look_at(connection, keys):
            self._take(part)
            yield self.memory.tell(checked=0.0)
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
    ) -> Iterator[float]:
        """Yields, each time there is something, how much of what it looks at it has seen."""
        prefix = self._there.jobs + "/"
        tasks = [path[len(prefix) :] for path in different if path.startswith(prefix)]
        if everything or tasks:
            changes = self._jobs.changes(connection, None if everything else tasks)
            yield from self._taken(changes)
        asked = look.jobs | look.moved | self._jobs.live | self.memory.restarts.due()
        yield from self._taken(self._jobs.look_at(connection, asked))
        yield from self._taken(self._jobs.look_at(connection, self._jobs.died(connection)))

    def _taken(self, parts: Iterable[Delta]) -> Iterator[float]:
        for part in parts:
            self._take(part)
            yield part.checked

    def _take(self, part: Delta) -> None:
        for key, row in part.jobs.items():
            self.memory.take_job(key, row)
            # A clean that had only begun when the trash was listed may have moved it there.
            self._gone |= state_of(row) is JobState.NOT_SUBMITTED


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
