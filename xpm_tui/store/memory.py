"""What a reader knows of a workspace: what it has told of it, and what it keeps for the next time.

A reading may end anywhere: what was taken in and not told by then is told by its last delta.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from xpm_engine.errors import NotAWorkspaceError
from xpm_engine.workspace.cleaning.transactions import Transaction
from xpm_engine.workspace.index import JobRow, Known, read_index, write_index
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.scan import RunView
from xpm_tui.store.model import Delta
from xpm_tui.store.restarts import Restarts
from xpm_tui.store.subjects import RunKey


class Memory:
    """Shared by the readers of a workspace here and of one on another machine."""

    def __init__(
        self, workspace: WorkspacePaths, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.known = Known(workspace, clock=clock)
        self.checked = False
        """Whether everything was compared with the folders once."""
        self.trouble = ""
        """Why nothing can be remembered for the next time; empty if it can."""
        self.keeping = False
        """Whether it is being written just now."""
        self.experiments: tuple[str, ...] | None = None
        """Their names, when they were listed last."""
        self.trash: tuple[Transaction, ...] | None = None
        """What lay in it, when it was listed last."""
        self.restarts = Restarts(self.known)
        self.jobs: dict[JobKey, JobRow] = {}
        """Taken in, and not told yet; so are these:"""
        self.runs: dict[RunKey, RunView] = {}
        self._gone: set[RunKey] = set()
        self._names: tuple[str, ...] | None = None
        self._trashed: tuple[Transaction, ...] | None = None
        self._problem = ""

    def remember(self) -> Delta | None:
        """What the workspace was like when it was last looked at; None if nobody knows."""
        known = self.known
        found = read_index(known.workspace)
        if found is None:
            return None
        runs = known.remember(found.jobs, found.runs)
        return Delta(
            jobs={key: row for key, (_, row) in found.jobs.items()},
            runs={RunKey(*name): run.view for name, run in runs.items()},
            experiments=tuple(sorted({experiment for experiment, _ in runs})),
            checked=0.0,
            as_of=found.at,
        )

    def keep(self) -> None:
        """Remember for the next time what is known now, if it is worth it."""
        if self.checked and self.known.differs:
            self.known.differs = False
            self.keeping = True
            self.trouble = write_index(self.known)
            self.keeping = False

    def take_run(self, run: RunKey, view: RunView) -> None:
        """A run was read, and is not as it was."""
        self.runs[run] = view
        self.restarts.note_run(run, view)

    def take_job(self, key: JobKey, row: JobRow) -> None:
        """A job was read, and is not as it was."""
        self.jobs[key] = row
        self.restarts.note_job(key, row)

    def check_filled(self, root: str, *, empty: bool) -> None:
        """That a folder in which jobs or runs were seen has something of a workspace in it.

        A disk that is not mounted leaves an empty folder. Raises NotAWorkspaceError.
        """
        if empty and self.checked and (self.known.jobs or self.known.runs):
            raise NotAWorkspaceError(
                "nothing of a workspace is in it any more: is its disk still mounted?", where=root
            )

    def live_runs(self) -> frozenset[RunKey]:
        """The runs whose plan may still add to them."""
        runs = self.known.runs.items()
        return frozenset(RunKey(*name) for name, run in runs if run.view.live)

    def keep_runs(self, there: Iterable[RunKey]) -> None:
        """Of the runs that are known only these are there; raises NotAWorkspaceError."""
        gone = {RunKey(*name) for name in self.known.runs} - set(there)
        self.known.forget_runs((run.experiment, run.run) for run in gone)
        self.restarts.forget_runs(gone)
        self._gone |= gone

    def name_experiments(self, names: tuple[str, ...]) -> None:
        """The experiments were listed."""
        if names != self.experiments:
            self.experiments = self._names = names

    def fill_trash(self, found: tuple[Transaction, ...]) -> None:
        """The trash was listed."""
        if found != self.trash:
            self.trash = self._trashed = found

    def tell(
        self, *, checked: float = 1.0, problem: str | None = None, as_of: float | None = None
    ) -> Delta:
        """All that was not told yet. A `problem` is, if it is another than before."""
        told = Delta(
            jobs=self.jobs,
            runs=self.runs,
            gone_runs=frozenset(self._gone),
            experiments=self._names,
            trash=self._trashed,
            problem=None if problem == self._problem else problem,
            checked=checked,
            as_of=as_of,
        )
        self.jobs, self.runs, self._gone = {}, {}, set()
        self._names = self._trashed = None
        self._problem = self._problem if problem is None else problem
        return told
