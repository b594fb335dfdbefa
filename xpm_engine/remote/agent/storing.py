"""Writing files that are whole or not there; what was cut goes on where it stopped.

An unfinished file is locked by whoever writes to it: two writers of the same content, as an agent
and the one that its sender has after a cut, add to one another and never to each other's bytes.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from typing import Generator, Iterator, Optional

from xpm_engine.errors import StorageError
from xpm_engine.remote.agent import staging
from xpm_engine.remote.agent.files import checked_below, open_regular
from xpm_engine.remote.agent.serving import Request
from xpm_engine.remote.frames import Message
from xpm_engine.workspace.atomic import make_folders, storage_error
from xpm_engine.workspace.layout import partial_file
from xpm_engine.workspace.tickets import hold


def put(request: Request) -> "Iterator[Optional[Message]]":
    """A range of a file that is known by its SHA-256; the last part: how much of it is there.

    Without bytes it only asks how much there is. The range must begin where the last one ended.
    With the last range, the whole is checked and takes its place at once; a file of that content
    that is there already is found, and left alone. `stage` is the folder that it is put together
    in, if any (`staging`).
    """
    fields = request.fields
    path, digest, size = fields.text("path"), fields.text("sha256"), fields.integer("size")
    aside = partial_file(path, digest)
    _check_stage(request)
    make_folders(os.path.dirname(path))
    try:
        descriptor = yield from _alone(aside)
        try:
            have = os.fstat(descriptor).st_size
            if have == 0 and _size(path) == size:
                same = yield from _is(path, digest)
                if same:
                    os.unlink(aside)
                    yield Message({"have": size, "done": True})
                    return
            if request.data and fields.integer("at") == have:
                os.lseek(descriptor, have, os.SEEK_SET)
                have += _write_all(descriptor, request.data)
            if have < size:
                answer = {"have": have, "done": False}
            else:
                os.fsync(descriptor)
                same = yield from _is(aside, digest)
                if have == size and same:
                    _give_mode(aside, executable=fields.flag("executable"))
                    os.replace(aside, path)
                    answer = {"have": size, "done": True}
                else:
                    os.unlink(aside)
                    answer = {"have": 0, "done": False, "damaged": True}
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_error(error, path, "write this file") from error
    # The next range may have come meanwhile: it is written to at once.
    yield Message(answer)


def put_all(request: Request) -> "Iterator[Optional[Message]]":
    """Many small files below `root`: ``files`` [[path, size, executable], ...], bytes in a row.

    `stage` as in `put`.
    """
    root, files = request.fields.text("root"), request.fields.items("files")
    at = 0
    _check_stage(request)
    for path, size, executable in files:
        target = checked_below(root, str(path), request)
        make_folders(os.path.dirname(target))
        aside = partial_file(target, "whole")
        try:
            descriptor = yield from _alone(aside)
            try:
                os.ftruncate(descriptor, 0)
                _write_all(descriptor, request.data[at : at + int(size)])
                _give_mode(aside, executable=bool(executable))
                os.replace(aside, target)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error(error, target, "write this file") from error
        at += int(size)
    yield Message({"files": len(files)})


def _check_stage(request: Request) -> None:
    stage = request.fields.optional_text("stage")
    if stage is not None:
        staging.check(stage)


def _alone(aside: str) -> "Generator[Optional[Message], None, int]":
    """The descriptor of an unfinished file that nobody else writes to; raises StorageError."""
    while True:
        descriptor = hold(aside, patience=0.0)
        if descriptor is not None:
            return descriptor
        if not os.path.isdir(os.path.dirname(aside)):
            raise StorageError("its folder was removed meanwhile", where=aside)
        yield None


def _give_mode(path: str, *, executable: bool) -> None:
    """What the umask left of a new file, and executable by whom may read it."""
    if executable:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        os.chmod(path, mode | (mode & 0o444) >> 2)


def _write_all(descriptor: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    return len(data)


def _size(path: str) -> Optional[int]:
    with suppress(OSError):
        return os.lstat(path).st_size
    return None


def _is(path: str, digest: str) -> "Generator[Message, None, bool]":
    """Whether a file's SHA-256 is `digest`; an empty part for each MiB, so that others get on."""
    known = hashlib.sha256()
    descriptor = open_regular(path)
    with open(descriptor, "rb", buffering=0) as file:
        for data in iter(lambda: file.read(1 << 20), b""):
            known.update(data)
            yield Message({})
    return known.hexdigest() == digest
