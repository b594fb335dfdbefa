"""What a result brings here: the files of a far job folder, those that were asked for.

What is here already is known by its size and time, so that it may be cut anywhere and asked again;
a large file goes on where it stopped, and is compared by its SHA-256.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Any

from xpm_engine.errors import RemoteError, UsageError
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace.atomic import (
    dumps,
    make_folders,
    parse_object,
    storage_error,
    write_atomic,
)
from xpm_engine.workspace.layout import XPM, JobKey, JobPaths, is_partial, partial_file
from xpm_engine.workspace.records.mirror import FarFile, Fetched
from xpm_engine.workspace.records.results import ResultRecord
from xpm_engine.workspace.tickets import hold

SMALL = 1 << 17
"""Bytes of a file up to which many travel together."""

TOGETHER = 500
"""Paths in one request."""

GLANCE = 0.2
"""Seconds between two looks at a file that another process fetches."""

STOPPED = 60.0
"""Seconds without a byte more after which that one is not waited for."""

MOST_NAMED = 1000
"""Files that are there alone of which the names are kept."""

Progress = Callable[[int, int], None]
"""Told how many bytes are here of how many."""

Stopped = Callable[[], bool]
"""Whether nobody wants the rest any more."""


@dataclass(frozen=True)
class Tally:
    """What a fetch came to."""

    files: int
    """How many of those that were asked for are here now."""
    size: int
    """Bytes of those."""
    brought: int
    """How many of them were not here before."""
    brought_size: int
    left: tuple[FarFile, ...]
    """What is there alone."""

    def fetched(self, of: str, root: str) -> Fetched:
        """As it is noted: `root` is the job's folder on the host `of`."""
        size = sum(file.size for file in self.left)
        return Fetched(of, root, self.files, len(self.left), size, self.left[:MOST_NAMED])


@dataclass(frozen=True)
class _Remote:
    path: str
    size: int
    mtime_ns: int
    executable: bool


def fetch(
    connection: Connection,
    there: str,
    here: str,
    patterns: Sequence[str],
    *,
    written: bool = False,
    progress: Progress | None = None,
    stopped: Stopped = lambda: False,
) -> Tally:
    """Bring the files of the folder `there` that match a pattern into the folder `here`.

    `written`: the job still writes there; leave out what is unfinished. `stopped` is asked after
    each piece; what came until then stays. Raises StorageError, RemoteError.
    """
    wanted: list[_Remote] = []
    left: list[_Remote] = []
    for entry in _walk(connection, there):
        if written and is_partial(entry["name"]):
            continue
        asked_for = any(fnmatch.fnmatchcase(entry["name"], pattern) for pattern in patterns)
        if entry["kind"] == "file":
            executable = bool(entry["mode"] & 0o100)
            file = _Remote(entry["name"], entry["size"], entry["mtime_ns"], executable)
            if asked_for:
                wanted.append(file)
            elif not _is_here(file, here):
                left.append(file)
        elif asked_for and entry["kind"] == "folder":
            make_folders(f"{here}/{entry['name']}")
        elif asked_for and entry["kind"] == "link":
            _make_link(here, entry["name"], entry["to"])
    missing = [file for file in wanted if not _is_here(file, here)]
    total = _size(wanted)
    bytes_here = total - _size(missing)
    came = 0
    with closing(_bring(connection, missing, there, here)) as pieces:
        for piece, files in pieces:
            bytes_here += piece
            came += files
            if progress is not None:
                progress(bytes_here, total)
            if stopped():
                break
    order = [file for file in missing if file.size <= SMALL]
    order += [file for file in missing if file.size > SMALL]
    left += order[came:]
    return Tally(
        files=len(wanted) - len(missing) + came,
        size=total - _size(order[came:]),
        brought=came,
        brought_size=_size(order[:came]),
        left=tuple(FarFile(file.path, file.size) for file in left),
    )


def fetch_rest(
    connection: Connection,
    there: JobPaths,
    here: JobPaths,
    key: JobKey,
    *,
    of: str,
    patterns: Sequence[str] = ("**",),
    progress: Progress | None = None,
    stopped: Stopped = lambda: False,
) -> Tally:
    """Bring what is on the host `of` alone of a finished result, and note what stays there.

    Who calls holds the job's lock: nobody can clean it meanwhile, or run it again. Raises
    UsageError where it is gone there, StorageError, RemoteError.
    """
    root = there.root
    if connection.ask("stat", paths=[root])["stamps"][0] is None:
        raise UsageError(
            f"{of} has no folder of {key.task}/{key.short} any more: what was not fetched is gone",
            where=f"{of}:{root}",
            hint=f"clean it here, and run its plan: xpm clean {key.short}",
        )
    tally = fetch(connection, root, here.root, patterns, progress=progress, stopped=stopped)
    write_atomic(here.fetched, dumps(tally.fetched(of, root).to_json()))
    return tally


def _bring(
    connection: Connection, missing: Sequence[_Remote], there: str, here: str
) -> Generator[tuple[int, int]]:
    """Small files together, then the large ones; yields bytes that came, and files that are whole.

    In that order, so that their number tells which they are.
    """
    small = [file for file in missing if file.size <= SMALL]
    for start in range(0, len(small), TOGETHER):
        batch = small[start : start + TOGETHER]
        _fetch_small(connection, batch, there, here)
        yield _size(batch), len(batch)
    for file in missing:
        if file.size > SMALL:
            for piece in _fetch_large(connection, file, there, here):
                yield piece, 0
            yield 0, 1


def _size(files: Iterable[_Remote]) -> int:
    return sum(file.size for file in files)


def fetch_result(connection: Connection, there: JobPaths, here: JobPaths, attempt: int) -> None:
    """Bring what the task returned, if it returned anything, as that of the attempt of here.

    Raises StorageError, RemoteError, UnreadableError.
    """
    if connection.ask("stat", paths=[there.result])["stamps"][0] is None:
        return
    data = b"".join(part.data for part in connection.stream("read", path=there.result))
    where = f"{connection.name}:{there.result}"
    record = ResultRecord.from_json(parse_object(data, where), where)
    write_atomic(here.result, dumps(replace(record, attempt=attempt).to_json()))


def told_as(pattern: str) -> frozenset[str]:
    """Patterns of `fetch` for all that a pattern of `xp.watch` can mean, and what is below it."""
    plain = (pattern, pattern.replace("**/", ""))
    return frozenset((*plain, *(f"{each}/*" for each in plain)))


def _walk(connection: Connection, there: str) -> Iterator[dict[str, Any]]:
    """What stands in a job's folder but what is ours: that was mirrored while it ran."""
    for part in connection.stream("walk", path=there, skip=[XPM]):
        for entry in part.body.get("entries", ()):
            name, to = entry["name"], entry.get("to", "")
            if name != XPM and not to.startswith(f"{XPM}/logs/"):
                yield entry


def _is_here(file: _Remote, here: str) -> bool:
    try:
        found = os.lstat(f"{here}/{file.path}")
    except OSError:
        return False
    return found.st_size == file.size and found.st_mtime_ns == file.mtime_ns


def _make_link(here: str, name: str, to: str) -> None:
    """A link as it is there, unless it would lead out of the job's folder."""
    path = f"{here}/{name}"
    target = os.path.normpath(os.path.join(os.path.dirname(name), to))
    if os.path.isabs(to) or target.startswith("..") or os.path.lexists(path):
        return
    make_folders(os.path.dirname(path))
    os.symlink(to, path)


def _fetch_small(connection: Connection, files: Sequence[_Remote], there: str, here: str) -> None:
    paths = [f"{there}/{file.path}" for file in files]
    for part in connection.stream("read_all", paths=paths, limit=2 * SMALL):
        at = 0
        rows: list[tuple[int, int, list[int]]] = part.body["files"]
        for index, size, stamp in rows:
            file = files[index]
            if size < 0 or (size == 0 and stamp[2]):
                raise RemoteError(
                    f"{connection.name}: {paths[index]} went away or grew while it was fetched"
                )
            _write(file, here, part.data[at : at + size], stamp[1])
            at += size


def _write(file: _Remote, here: str, data: bytes, mtime_ns: int) -> None:
    path = f"{here}/{file.path}"
    aside = partial_file(path, "fetched")
    try:
        with open(_alone(aside), "wb", buffering=0) as target:
            target.truncate(0)
            target.write(data)
            _finish(target.fileno(), file, mtime_ns)
            os.replace(aside, path)
    except OSError as error:
        raise storage_error(error, path, "write this file") from error


def _alone(aside: str) -> int:
    """The descriptor of an unfinished file that nobody else writes to: plan, verb and app may.

    Raises StorageError, RemoteError.
    """
    size, deadline = -1, 0.0
    while True:
        descriptor = hold(aside, patience=GLANCE)
        if descriptor is not None:
            return descriptor
        make_folders(os.path.dirname(aside))
        with suppress(FileNotFoundError):
            grown = os.stat(aside).st_size
            if grown != size:
                size, deadline = grown, time.monotonic() + STOPPED
            elif time.monotonic() > deadline:
                raise RemoteError(
                    "another process fetches this file, and does not get on",
                    where=aside,
                    hint="is it stopped (Ctrl-Z)? end it, or let it go on",
                )


def _finish(descriptor: int, file: _Remote, mtime_ns: int) -> None:
    """Give a file the time that it has there, and let those run it who may read it."""
    os.utime(descriptor, ns=(mtime_ns, mtime_ns))
    if file.executable:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        os.fchmod(descriptor, mode | (mode & 0o444) >> 2)


def _fetch_large(connection: Connection, file: _Remote, there: str, here: str) -> Generator[int]:
    """A file in pieces, from where it was cut; yields how many bytes came."""
    source, path = f"{there}/{file.path}", f"{here}/{file.path}"
    sums = connection.stream("sums", paths=[source], patience=600.0)
    digest = next((part.body["sum"][1] for part in sums if "sum" in part.body), None)
    if digest is None:
        raise RemoteError(f"{connection.name}: {source} went away while it was fetched")
    aside = partial_file(path, digest)
    try:
        with open(_alone(aside), "wb", buffering=0) as target:
            at = target.seek(0, os.SEEK_END)
            if at == 0 and _is_here(file, here):
                # Who had it until now has brought it.
                os.unlink(aside)
                yield file.size
                return
            with open(aside, "rb") as begun:
                known = hashlib.file_digest(begun, "sha256")
            yield at
            for part in connection.stream("read", path=source, at=at):
                target.write(part.data)
                known.update(part.data)
                yield len(part.data)
            _finish(target.fileno(), file, file.mtime_ns)
            if known.hexdigest() != digest:
                os.unlink(aside)
                raise RemoteError(f"{connection.name}: {source} changed while it was fetched")
            os.replace(aside, path)
    except OSError as error:
        raise storage_error(error, path, "write this file") from error
