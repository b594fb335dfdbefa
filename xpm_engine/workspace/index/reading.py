"""Reading many jobs at once: what was remembered saves reading those that have not changed."""

from __future__ import annotations

import os
from collections.abc import Collection

from xpm_engine.workspace import scan
from xpm_engine.workspace.index.file import read_index, write_index
from xpm_engine.workspace.index.known import Known
from xpm_engine.workspace.index.packing import JobRow, record_of
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.states import JobState
from xpm_engine.workspace.scan import JobRecord, RunView

MANY = 300
"""Jobs from which on it is quicker to load what was remembered."""

LARGE = 100_000
"""Bytes of a manifest that names about as many."""

WORTH_KEEPING = 1_000
"""Jobs that had to be read, from which on they are remembered for the next time."""


class JobReader:
    """Reads jobs and runs of one workspace, for one command."""

    def __init__(self, workspace: WorkspacePaths) -> None:
        self.workspace = workspace
        self._known: Known | None = None
        self._read = 0

    def records(self, keys: Collection[JobKey]) -> dict[JobKey, JobRecord]:
        """What the folders of these jobs tell now; an absent folder is `never started`."""
        rows = self.rows(keys)
        return {key: record_of(key, rows.get(key)) for key in keys}

    def rows(self, keys: Collection[JobKey]) -> dict[JobKey, JobRow]:
        """The same, packed; a job without a folder is left out."""
        found: dict[JobKey, JobRow] = {}
        if len(keys) < MANY and self._known is None:
            for key in keys:
                record = scan.read_job(self.workspace, key)
                if record.state is not JobState.NOT_SUBMITTED:
                    found[key] = record
            return found
        known = self._load()
        for key in keys:
            self._read += known.look_at_job(key) is not None
            entry = known.jobs.get(key)
            if entry is not None:
                found[key] = entry[1]
        return found

    def everything(self) -> dict[JobKey, JobRow]:
        """All jobs that stand in the workspace, packed as they were remembered."""
        known = self._load()
        found: dict[JobKey, JobRow] = {}
        for key in scan.list_jobs(self.workspace):
            self._read += known.look_at_job(key) is not None
            entry = known.jobs.get(key)
            # One that is gone by now, or holds nothing, is as if it were not there.
            found[key] = scan.read_job(self.workspace, key) if entry is None else entry[1]
        for key in known.jobs.keys() - found.keys():
            del known.jobs[key]
        return found

    def run(self, experiment: str, run: str) -> RunView:
        """One run, with its manifest and what its jobs wait for."""
        if self._known is None and not self._is_large(experiment, run):
            return scan.read_run(self.workspace, experiment, run)
        known = self._load()
        known.look_at_run((experiment, run))
        return known.runs[experiment, run].view

    def keep(self) -> None:
        """Remember what was read, if that was much."""
        if self._known is not None and self._read >= WORTH_KEEPING:
            self._read = 0
            # A full disk is told where somebody asks how the workspace is.
            write_index(self._known)

    def _is_large(self, experiment: str, run: str) -> bool:
        try:
            return os.stat(self.workspace.run(experiment, run).manifest).st_size >= LARGE
        except OSError:
            return False

    def _load(self) -> Known:
        if self._known is None:
            self._known = Known(self.workspace)
            remembered = read_index(self.workspace)
            if remembered is not None:
                self._known.remember(remembered.jobs, remembered.runs)
        return self._known
