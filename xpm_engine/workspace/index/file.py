"""The index of a workspace in the user's cache folder: an SQLite file, written whole or not at all.

It is written aside and renamed into its place, and read as a file that nobody changes: so there
is no lock that several apps could wait for, or a network file system hang on; the last one wins.
What can't be read, is of another version or damaged, is as if it were not there.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sqlite3
import stat
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from xpm_engine.errors import XpmError
from xpm_engine.workspace.atomic import dumps, parse_object
from xpm_engine.workspace.index.known import Known, RunName, StoredRun
from xpm_engine.workspace.index.packing import FORMAT, PackedReferences
from xpm_engine.workspace.layout import JobKey, WorkspacePaths
from xpm_engine.workspace.records.runs import Manifest, PlanState, Queue, RunRecord
from xpm_engine.workspace.scan import RunView
from xpm_engine.workspace.user_folders import APP_NAME, users_caches

VERSION = 4
"""Of what is written here; the version of Python counts as well, whose marshal is used."""

PART = 2_000
"""Jobs in one row of the file."""

KEPT = 90 * 86_400.0
"""Seconds that the index of a workspace is kept that nobody opens."""

_LEFT = 3_600.0
"""Seconds after which a file that was being written has no writer any more."""

_TABLES = """
create table about (version text, root text, device integer, inode integer, at real);
create table jobs (task text, part integer, sum integer, data blob);
create table runs (experiment text, run text, sum integer, data blob);
"""


@dataclass(frozen=True)
class Remembered:
    """What a workspace was like."""

    at: float
    """When, in seconds since 1970."""
    jobs: dict[JobKey, tuple[int | None, bytes]] = field(
        default_factory=dict[JobKey, tuple[int | None, bytes]]
    )
    runs: dict[RunName, StoredRun] = field(default_factory=dict[RunName, StoredRun])


def index_path(workspace: WorkspacePaths) -> str:
    """Where the index of a workspace lies: outside of it, in the user's cache folder."""
    return f"{_folder()}/{hashlib.sha256(os.fsencode(workspace.root)).hexdigest()[:24]}.sqlite"


def read_index(workspace: WorkspacePaths) -> Remembered | None:
    """What was remembered of a workspace; None if there is nothing that can be used."""
    path = index_path(workspace)
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
            return None
        with closing(_open_to_read(path)) as file:
            return _read(file, workspace)
    except (OSError, sqlite3.Error, XpmError, ValueError, TypeError, LookupError, EOFError):
        return None


def write_index(known: Known) -> str:
    """Remember this; returns what went wrong, empty if nothing did."""
    path = index_path(known.workspace)
    aside = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
        with closing(sqlite3.connect(aside, isolation_level=None, timeout=0.0)) as file:
            _write(file, known)
        os.replace(aside, path)
        _tidy(os.path.dirname(path))
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            os.unlink(aside)
        return f"{path}: {error.strerror if isinstance(error, OSError) else error}"
    return ""


def why_unwritable(workspace: WorkspacePaths) -> str:
    """Why nothing of a workspace can be remembered, tried with an empty file; empty if it can."""
    path = index_path(workspace)
    trial = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.close(os.open(trial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600))
        os.unlink(trial)
        found = os.lstat(path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{path}: {error.strerror}"
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
        return f"{path}: is no file of yours"
    return ""


def _folder() -> str:
    return f"{users_caches(APP_NAME)}/index"


def _version() -> str:
    return f"{VERSION} {sys.implementation.cache_tag}"


def _open_to_read(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True, timeout=0.0)


def _read(file: sqlite3.Connection, workspace: WorkspacePaths) -> Remembered | None:
    place = os.stat(workspace.root)
    expected = (_version(), workspace.root, place.st_dev, place.st_ino)
    version, root, device, inode, at = file.execute("select * from about").fetchone()
    if (version, root, device, inode) != expected:
        return None
    remembered = Remembered(at)
    jobs = remembered.jobs
    by_identifier: dict[str, JobKey] = {}
    for task, checksum, data in file.execute("select task, sum, data from jobs"):
        identifiers, stamps, rows = _checked(data, checksum)
        keys = [JobKey(task, identifier) for identifier in identifiers]
        jobs.update(zip(keys, zip(stamps, rows, strict=True), strict=True))
        by_identifier.update(zip(identifiers, keys, strict=True))
    for experiment, run, checksum, data in file.execute(
        "select experiment, run, sum, data from runs"
    ):
        remembered.runs[experiment, run] = _run(
            experiment, run, _checked(data, checksum), by_identifier
        )
    return remembered


def _checked(data: bytes, checksum: int) -> Any:
    """Raises ValueError for anything but what was written: marshal is not made for the rest."""
    if zlib.crc32(data) != checksum:
        raise ValueError("damaged")
    return marshal.loads(data)


def _run(
    experiment: str, run: str, data: tuple[Any, ...], by_identifier: dict[str, JobKey]
) -> StoredRun:
    record, queue, files, lines, plan, ended, tasks, identifiers, rows = data
    keys: list[JobKey] = []
    for task, identifier in zip(tasks, identifiers, strict=True):
        key = by_identifier.get(identifier)
        # One object for one job, wherever it is named: there are very many of these.
        keys.append(key if key is not None and key.task == task else JobKey(task, identifier))
    read = RunRecord.from_json(parse_object(record, run), run)
    waits = None if queue is None else Queue.from_json(parse_object(queue, run), run)
    manifest = Manifest(PackedReferences(keys, rows), ended)
    view = RunView(experiment, run, read, manifest, waits, PlanState(plan))
    return StoredRun(view, files, lines)


def _write(file: sqlite3.Connection, known: Known) -> None:
    # Nothing is lost with it: no journal, no waiting for the disk.
    file.executescript("pragma journal_mode=off; pragma synchronous=off; begin;" + _TABLES)
    root = known.workspace.root
    place = os.stat(root)
    about = (_version(), root, place.st_dev, place.st_ino, time.time())
    file.execute("insert into about values (?, ?, ?, ?, ?)", about)
    file.executemany("insert into jobs values (?, ?, ?, ?)", _parts(known))
    file.executemany("insert into runs values (?, ?, ?, ?)", _runs(known.runs.items()))
    file.execute("commit")


def _parts(known: Known) -> Iterator[tuple[str, int, int, bytes]]:
    of_task: dict[str, list[tuple[str, int, bytes]]] = {}
    for key, (stamp, row) in known.jobs.items():
        if stamp is not None and isinstance(row, bytes):
            of_task.setdefault(key.task, []).append((key.identifier, stamp, row))
    for task, jobs in of_task.items():
        for part in range(0, len(jobs), PART):
            yield (
                task,
                part,
                *_summed(tuple(map(list, zip(*jobs[part : part + PART], strict=True)))),
            )


def _runs(runs: Iterable[tuple[RunName, StoredRun]]) -> Iterator[tuple[str, str, int, bytes]]:
    """Those of which all could be read. A manifest that may be appended to has its size in its
    stamp."""
    for (experiment, run), stored in runs:
        view = stored.view
        lines = view.manifest.references
        if stored.manifest is None or view.problem or view.record is None or view.plan is None:
            continue
        if view.manifest.damage or not isinstance(lines, PackedReferences):
            continue
        if stored.files is None and not view.live:
            continue
        data = (
            dumps(view.record.to_json()),
            None if view.queue is None else dumps(view.queue.to_json()),
            stored.files,
            stored.manifest,
            view.plan.value,
            view.manifest.ended,
            [key.task for key in lines.keys],
            [key.identifier for key in lines.keys],
            list(lines.rows),
        )
        yield experiment, run, *_summed(data)


def _summed(data: Any) -> tuple[int, bytes]:
    """Its sum, and the data."""
    written = marshal.dumps(data, FORMAT)
    return zlib.crc32(written), written


def _tidy(folder: str) -> None:
    """Remove what nobody is going to read any more."""
    now = time.time()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            kept = KEPT if entry.name.endswith(".sqlite") else _LEFT
            if now - entry.stat(follow_symlinks=False).st_mtime > kept:
                os.unlink(entry.path)
