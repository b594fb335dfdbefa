"""Reading files of this host: places, listings, ranges, many small ones at once, checksums.

Nothing here follows a link out of the folder that was asked for: links are told as links.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from typing import Any, Dict, Iterator, List, Optional

from xpm_engine.remote.agent.serving import Answer, Request, file_system, unreadable
from xpm_engine.remote.frames import Message

CHUNK = 1 << 18
"""Bytes in one part: small enough that other requests get their turn soon."""

PATHS = 500
"""Entries in one part of a listing."""


def place(request: Request) -> Answer:
    """What stands at a path, `~` told as the home it stands for: absent, free space, writable."""
    path: str = os.path.abspath(os.path.expanduser(request.fields.text("path")))
    there: str = path
    while not os.path.exists(there) and there != "/":
        there = os.path.dirname(there)
    free = os.statvfs(there)
    return {
        "path": path,
        "exists": os.path.isdir(path),
        "nearest": there,
        "writable": os.access(there, os.W_OK | os.X_OK),
        "fs": file_system(there),
        "free": free.f_bavail * free.f_frsize,
        "watches": _number("/proc/sys/fs/inotify/max_user_watches"),
        "stamp": stamp_of(path),
    }


def listing(request: Request) -> Iterator[Message]:
    """The entries of one folder: name, kind, size, mode, mtime_ns; of a link, where it leads."""
    yield from _batches(_entries(request.fields.text("path")))


def walk(request: Request) -> Iterator[Message]:
    """All entries below a folder, as `listing` tells them, named by their path below it."""
    root = request.fields.text("path")
    skip = frozenset(request.fields.texts("skip"))
    yield from _batches(_below(root, "", skip))


def stat_all(request: Request) -> Answer:
    """The stamps of some paths, links not followed; null for an absent one."""
    return {"stamps": [stamp_of(path) for path in request.fields.texts("paths")]}


def read(request: Request) -> Iterator[Message]:
    """A range of a file: from `at` (below zero: from its end), `length` bytes or all."""
    path, at = request.fields.text("path"), request.fields.optional_integer("at") or 0
    left = request.fields.optional_integer("length")
    descriptor = open_regular(path)
    try:
        found = os.fstat(descriptor)
        at = max(0, found.st_size + at) if at < 0 else at
        os.lseek(descriptor, at, os.SEEK_SET)
        yield Message({"stamp": stamp(found), "at": at})
        while left is None or left > 0:
            data = os.read(descriptor, CHUNK if left is None else min(CHUNK, left))
            if not data:
                return
            left = None if left is None else left - len(data)
            yield Message({}, data)
    finally:
        os.close(descriptor)


def read_all(request: Request) -> Iterator[Message]:
    """Many files, whole up to `limit` bytes each; a part holds as many as fit.

    Parts: ``files`` [[index, size or -1 for an absent one, stamp], ...] and their bytes in a row. A
    file that is longer than the limit is told with its size and no bytes: `read` has ranges.
    """
    limit = min(CHUNK, request.fields.optional_integer("limit") or CHUNK)
    rows: List[List[Any]] = []
    blob = bytearray()
    for index, path in enumerate(request.fields.texts("paths")):
        data, found = small(path, limit)
        if len(blob) + len(data or b"") > CHUNK or len(rows) >= PATHS:
            yield Message({"files": rows}, bytes(blob))
            rows, blob = [], bytearray()
        rows.append([index, -1 if data is None and found is None else len(data or b""), found])
        blob += data or b""
    if rows:
        yield Message({"files": rows}, bytes(blob))


def sums(request: Request) -> Iterator[Message]:
    """The SHA-256 of some files, each a part as soon as it is known; null for an absent one."""
    for index, path in enumerate(request.fields.texts("paths")):
        digest: Optional[str] = None
        with suppress(OSError):
            descriptor = open_regular(path)
            try:
                known = hashlib.sha256()
                while True:
                    data = os.read(descriptor, 1 << 20)
                    if not data:
                        break
                    known.update(data)
                    if len(data) == 1 << 20:
                        # Other requests get their turn while a large file is read.
                        yield Message({})
                digest = known.hexdigest()
            finally:
                os.close(descriptor)
        yield Message({"sum": [index, digest]})


def open_regular(path: str) -> int:
    """A descriptor to read a regular file by; raises OSError for a link or anything else."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(22, "this is no regular file", path)
    return descriptor


def small(path: str, limit: int) -> "tuple[Optional[bytes], Optional[List[int]]]":
    """A file's content, if it is at most `limit` long, and its stamp, if it is there."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return None, None
    try:
        found = stamp(os.fstat(descriptor))
        if found[2] > limit:
            return None, found
        data = os.read(descriptor, limit + 1)
        return (data if len(data) <= limit else None), found
    finally:
        os.close(descriptor)


def stamp(found: os.stat_result) -> List[int]:
    """What changes when a file does: inode, mtime in ns, size."""
    return [found.st_ino, found.st_mtime_ns, found.st_size]


def stamp_of(path: str) -> Optional[List[int]]:
    """The stamp of what stands at a path; None if nothing does."""
    try:
        return stamp(os.lstat(path))
    except OSError:
        return None


def _below(root: str, inside: str, skip: "frozenset[str]") -> Iterator[Dict[str, Any]]:
    for entry in _entries(f"{root}/{inside}" if inside else root):
        name = entry["name"]
        entry["name"] = f"{inside}/{name}" if inside else name
        yield entry
        if entry["kind"] == "folder" and entry["name"] not in skip:
            yield from _below(root, entry["name"], skip)


def _entries(folder: str) -> Iterator[Dict[str, Any]]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            with suppress(OSError):
                yield _told(entry)


def _told(entry: "os.DirEntry[str]") -> Dict[str, Any]:
    found = entry.stat(follow_symlinks=False)
    data: Dict[str, Any] = {
        "name": entry.name,
        "kind": kind_of(found.st_mode),
        "size": found.st_size,
        "mode": stat.S_IMODE(found.st_mode),
        "mtime_ns": found.st_mtime_ns,
    }
    if stat.S_ISLNK(found.st_mode):
        data["to"] = os.readlink(entry.path)
    return data


def kind_of(mode: int) -> str:
    """What a mode says an entry is: file, folder, link or other."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"


def _batches(entries: Iterator[Dict[str, Any]]) -> Iterator[Message]:
    batch: List[Dict[str, Any]] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == PATHS:
            yield Message({"entries": batch})
            batch = []
    if batch:
        yield Message({"entries": batch})


def _number(path: str) -> Optional[int]:
    with suppress(OSError, ValueError), open(path, encoding="ascii") as file:
        return int(file.read())
    return None


def checked_below(root: str, path: str, request: Request) -> str:
    """``root/path``, for a path that stays below its root as it is written."""
    parts = path.split("/")
    if not path or path.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise unreadable(request, f"{path!r} is no path inside a folder")
    return f"{root}/{path}"
