"""Writing files that are whole or not there; what was cut goes on where it stopped.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from contextlib import suppress
from typing import Generator, Iterator, Optional

from xpm_engine.remote.agent.files import checked_below, open_regular
from xpm_engine.remote.agent.serving import Answer, Request
from xpm_engine.remote.frames import Message
from xpm_engine.workspace.atomic import make_folders, storage_error
from xpm_engine.workspace.layout import partial_file


def put(request: Request) -> Iterator[Message]:
    """A range of a file that is known by its SHA-256; the last part: how much of it is there.

    Without bytes it only asks how much there is. The range must begin where the last one ended.
    With the last range, the whole is checked and takes its place at once; a file of that content
    that is there already is found, and left alone.
    """
    fields = request.fields
    path, digest, size = fields.text("path"), fields.text("sha256"), fields.integer("size")
    aside = partial_file(path, digest)
    if _size(aside) is None and _size(path) == size:
        same = yield from _is(path, digest)
        if same:
            yield Message({"have": size, "done": True})
            return
    make_folders(os.path.dirname(path))
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(aside, flags, 0o666)
        try:
            have = os.fstat(descriptor).st_size
            if request.data and fields.integer("at") == have:
                os.lseek(descriptor, have, os.SEEK_SET)
                have += _write_all(descriptor, request.data)
            if have < size:
                yield Message({"have": have, "done": False})
                return
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        same = yield from _is(aside, digest)
        if have != size or not same:
            os.unlink(aside)
            yield Message({"have": 0, "done": False, "damaged": True})
            return
        _give_mode(aside, executable=fields.flag("executable"))
        os.replace(aside, path)
    except OSError as error:
        raise storage_error(error, path, "write this file") from error
    yield Message({"have": size, "done": True})


def put_all(request: Request) -> Answer:
    """Many small files below `root`: ``files`` [[path, size, executable], ...], bytes in a row."""
    root = request.fields.text("root")
    at = 0
    for path, size, executable in request.fields.items("files"):
        target = checked_below(root, str(path), request)
        make_folders(os.path.dirname(target))
        aside = partial_file(target, "whole")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(aside, flags, 0o666)
            try:
                _write_all(descriptor, request.data[at : at + int(size)])
            finally:
                os.close(descriptor)
            _give_mode(aside, executable=bool(executable))
            os.replace(aside, target)
        except OSError as error:
            raise storage_error(error, target, "write this file") from error
        at += int(size)
    return {"files": len(request.fields.items("files"))}


def settle(request: Request) -> Answer:
    """Let a folder that is complete take its place; one that is there already stays.

    Without `place`, a folder that was left half-made is removed.
    """
    source, target = request.fields.text("stage"), request.fields.optional_text("place")
    if target is not None and not os.path.isdir(target):
        try:
            make_folders(os.path.dirname(target))
            os.rename(source, target)
        except OSError as error:
            if not os.path.isdir(target):
                raise storage_error(error, target, "put this folder in its place") from error
    if target is None or os.path.isdir(source):
        shutil.rmtree(source, ignore_errors=True)
    return {"there": target is not None}


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
