"""The runs of a workspace there: their files are brought here, and read as those of any run."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from xpm_engine.remote.connection import Connection
from xpm_engine.workspace import scan
from xpm_engine.workspace.atomic import make_folders, write_atomic
from xpm_engine.workspace.index import Known, StoredRun, pack_manifest
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.records.identity import ProcessIdentity
from xpm_engine.workspace.scan import RunView
from xpm_tui.far.living import Living
from xpm_tui.far.place import FarPlace
from xpm_tui.store.subjects import RunKey

Files = tuple[int, ...]
"""The stamps of a run's files, one behind the other."""


class FarRuns:
    """Which runs there are, and what of them was read."""

    def __init__(
        self,
        place: FarPlace,
        known: Known,
        living: Living,
        check: Callable[[Connection], object],
    ) -> None:
        """`check` raises NotAWorkspaceError if the workspace is not there any more."""
        self._place = place
        self._check = check
        self._there = WorkspacePaths(place.root)
        self._known = known
        self._living = living
        self._files: dict[RunKey, Files] = {}
        self._sizes: dict[RunKey, int] = {}
        """Of their manifests."""
        self.folders: tuple[str, ...] = ()
        """The names of all experiments' folders, those without a run included."""
        self.closed: dict[str, str] = {}
        """The folders there that can't be listed, and why."""

    @property
    def there(self) -> Collection[RunKey]:
        """The runs that there are."""
        return self._files.keys()

    def look(self, connection: Connection) -> tuple[list[RunKey], list[RunKey]]:
        """See which runs there are; those that are to be read: the latest of their experiments,
        and the others. Raises XpmError."""
        latest: list[RunKey] = []
        older: list[RunKey] = []
        before = self._files
        found: dict[RunKey, Files] = {}
        folders: list[str] = []
        self.closed = {}
        for part in connection.stream("runs", root=self._place.root):
            if "closed" in part.body:
                path, why = part.body["closed"]
                self.closed[path] = why
                continue
            folders.append(part.body["experiment"])
            keys: list[RunKey] = []
            for experiment, name, stamps in part.body.get("runs", ()):
                run = RunKey(experiment, name)
                keys.append(run)
                paths = self._there.run(experiment, name)
                files: list[int] = []
                for path in (paths.record, paths.queue, paths.manifest):
                    files += stamps.get(os.path.basename(path)) or (0, 0, 0)
                found[run] = tuple(files)
                self._sizes[run] = files[-1]
            latest += keys[-1:]
            older += keys[:-1]
        if self.closed:
            found.update((run, files) for run, files in before.items() if self._may_be_in(run))
        self.folders, self._files = tuple(folders), found

        def differs(run: RunKey) -> bool:
            known = self._known.runs.get((run.experiment, run.run))
            return known is None or known.files != found[run] or run not in before

        return list(filter(differs, latest)), list(filter(differs, older))

    def _may_be_in(self, run: RunKey) -> bool:
        """Whether a run that was not told is in a folder that can't be listed."""
        there = self._there
        return there.experiments in self.closed or there.experiment(run.experiment) in self.closed

    def crashed(self, connection: Connection) -> list[RunKey]:
        """The live runs whose driver has died: no file there says so. Raises XpmError."""
        drivers = {
            RunKey(*name): run.view.record.driver
            for name, run in self._known.runs.items()
            if run.view.live and run.view.record is not None
        }
        self._living.ask(connection, drivers.values())
        return [run for run, driver in drivers.items() if self._living.is_dead(driver)]

    def read(
        self, connection: Connection, runs: Iterable[RunKey]
    ) -> Iterator[tuple[RunKey, RunView]]:
        """Bring these runs here; yields those that are not as they were. Raises XpmError."""

        def dead(process: ProcessIdentity) -> bool | None:
            self._living.ask(connection, [process])
            return self._living.is_dead(process)

        for run in runs:
            name = (run.experiment, run.run)
            self._fetch(connection, run)
            view = scan.read_run(self._place.here, *name, dead=dead)
            view = replace(
                view,
                manifest=pack_manifest(view.manifest),
                problem=self._place.told(view.problem),
            )
            known = self._known.runs.get(name)
            files = self._files.get(run)
            self._known.runs[name] = StoredRun(view, files, files)
            self._known.differs = True
            if known is None or known.view != view:
                yield run, view

    def _fetch(self, connection: Connection, run: RunKey) -> None:
        here = self._place.here.run(run.experiment, run.run)
        there = self._there.run(run.experiment, run.run)
        make_folders(here.root)
        paths = (there.record, there.queue)
        absent: list[str] = []
        for part in connection.stream("read_all", paths=paths):
            at = 0
            for index, size, _ in part.body["files"]:
                target = f"{here.root}/{os.path.basename(paths[int(index)])}"
                if size < 0:
                    absent.append(target)
                else:
                    write_atomic(target, part.data[at : at + size])
                    at += size
        if any(map(os.path.lexists, absent)):
            self._check(connection)
        for target in absent:
            with suppress(FileNotFoundError):
                os.unlink(target)
        if self._sizes.get(run):
            _extend(connection, there.manifest, here.manifest, self._sizes[run])


def _extend(connection: Connection, path: str, target: str, size: int) -> None:
    """Bring what was appended to a file since it was brought last."""
    try:
        have = os.lstat(target).st_size
    except FileNotFoundError:
        have = 0
    have = have if have <= size else 0
    data = b"".join(part.data for part in connection.stream("read", path=path, at=have))
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(target, flags, 0o600)
    try:
        os.ftruncate(descriptor, have)
        os.pwrite(descriptor, data, have)
    finally:
        os.close(descriptor)
