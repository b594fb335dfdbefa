"""Files that a reader finds whole or not at all.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from contextlib import suppress
from typing import Any, Dict, cast

from xpm_engine.errors import StorageError, UnreadableError

MAX_LINE = 4096
"""Bytes in one appended line: one write of at most a page stays whole between writers."""

TEMPORARY = ".tmp"
"""How the name of a file ends that is about to take the place of another."""

_CHUNK = 65536
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder().decode
_MOVED_AWAY = 5
"""Times that a folder is made again because it was moved away while it was being made."""

_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV}
_HINTS = {
    errno.ENOSPC: "free some space on this disk, then start again: finished jobs are kept",
    errno.EDQUOT: "your quota is used up: free some space, then start again",
    errno.EROFS: "the disk is mounted read-only: mount it writable, or use another workspace",
    errno.EACCES: "check who owns this folder and its permissions (ls -ld)",
    errno.EPERM: "check who owns this folder and its permissions (ls -ld)",
    errno.ENOTDIR: "a file stands where a folder is needed; move it away",
}


def storage_error(error: OSError, path: str, doing: str) -> StorageError:
    """The refusal of the system as an error of ours, with what to do about it."""
    return StorageError(
        f"can't {doing}: {error.strerror or error}",
        where=path,
        hint=_HINTS.get(error.errno or 0),
    )


def is_full(error: BaseException) -> bool:
    """Whether a refusal of the system, as it is or as an error of ours, is for want of space."""
    cause = error.__cause__ if isinstance(error, StorageError) else error
    return isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT)


def dumps(value: Any) -> bytes:
    """JSON as we write it: ASCII, compact, no NaN."""
    return _encode(value).encode("ascii")


def read_object(path: str) -> Dict[str, Any]:
    """The JSON object in a file.

    Raises FileNotFoundError if it is absent, UnreadableError if it is empty, truncated, not
    JSON, or may not be read.
    """
    return parse_object(read_bytes(path), path)


def read_bytes(path: str) -> bytes:
    """All of a file; raises FileNotFoundError, and UnreadableError if it may not be read."""
    try:
        return _read_whole(path)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise UnreadableError(f"can't be read: {error.strerror}", where=path) from error


def parse_object(data: bytes, path: str) -> Dict[str, Any]:
    """The JSON object in `data`; raises UnreadableError, naming `path`, for anything else."""
    try:
        value = _decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        what = "is empty" if not data.strip() else "is truncated or no JSON"
        raise UnreadableError(what, where=path) from error
    if not isinstance(value, dict):
        raise UnreadableError("holds no JSON object", where=path)
    return cast("Dict[str, Any]", value)


def write_atomic(path: str, data: bytes, *, durable: bool = False) -> None:
    """Replace the file at `path` at once; `durable` waits until the disk has it.

    Raises StorageError.
    """
    aside = _write_aside(path, data, durable=durable)
    try:
        os.replace(aside, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(aside)
        raise storage_error(error, path, "write this file") from error
    if durable:
        sync_folder(os.path.dirname(path))


def publish(path: str, data: bytes, *, durable: bool = False) -> bool:
    """Create the file at `path` if it is absent; return whether what is there now is `data`.

    `data` must hold a random nonce: a network file system may report "exists" for our own
    success, so that what counts is what is read back. Raises StorageError.
    """
    aside = _write_aside(path, data, durable=durable)
    try:
        os.link(aside, path)
    except FileExistsError:
        return _holds(path, data)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise storage_error(error, path, "create this file") from error
        return _create_exclusively(path, data, durable=durable)
    finally:
        with suppress(OSError):
            os.unlink(aside)
    if durable:
        sync_folder(os.path.dirname(path))
    return True


def publish_link(source: str, path: str) -> bool:
    """`publish` the content of `source` by one more name of that file, where there can be one.

    Costs no new file, so that one ticket can be laid into ten thousand folders at once.
    """
    try:
        os.link(source, path)
    except FileExistsError:
        return _holds(path, _content(source))
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise storage_error(error, path, "create this file") from error
        return publish(path, _content(source))
    return True


def append_line(path: str, value: Dict[str, Any], *, durable: bool = False) -> None:
    """Append one JSON object as a line, in one write.

    Raises StorageError, and ValueError for a line over `MAX_LINE` bytes.
    """
    line = dumps(value) + b"\n"
    if len(line) > MAX_LINE:
        raise ValueError(f"a line of {len(line)} bytes; {MAX_LINE} is the most")
    append_bytes(path, line, durable=durable)


def append_bytes(path: str, data: bytes, *, durable: bool = False) -> None:
    """Append whole lines in one write; raises StorageError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            _write_all(descriptor, data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise storage_error(error, path, "append to this file") from error


def make_folders(path: str) -> None:
    """Create a folder and those above it; raises StorageError.

    A cleaner may move it away while it is being made: then it is made again.
    """
    for left in reversed(range(_MOVED_AWAY)):
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as error:
            moved = isinstance(error, (FileNotFoundError, FileExistsError))
            if left and moved and not os.path.lexists(path):
                continue
            raise storage_error(error, path, "create this folder") from error
        return


def sync_folder(path: str) -> None:
    """Wait until the disk has the folder's entries; where that is unsupported, go on."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def replace_link(path: str, target: str) -> None:
    """Make `path` a symbolic link to `target`, replacing a link (never anything else)."""
    if os.path.lexists(path) and not os.path.islink(path):
        return
    aside = f"{path}.{secrets.token_hex(4)}{TEMPORARY}"
    try:
        os.symlink(target, aside)
        os.replace(aside, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(aside)
        raise storage_error(error, path, "make this link") from error


def _read_whole(path: str) -> bytes:
    """All bytes of a file, in as few calls as a small one needs: many thousands are read.

    A pipe that stands in its place is not waited for.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        data = os.read(descriptor, _CHUNK)
        while len(data) % _CHUNK == 0 and data:
            more = os.read(descriptor, _CHUNK)
            if not more:
                break
            data += more
    finally:
        os.close(descriptor)
    return data


def _write_aside(path: str, data: bytes, *, durable: bool) -> str:
    aside = f"{path}.{secrets.token_hex(4)}{TEMPORARY}"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(aside, flags, 0o666)
        try:
            _write_all(descriptor, data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        with suppress(OSError):
            os.unlink(aside)
        raise storage_error(error, path, "write this file") from error
    return aside


def _create_exclusively(path: str, data: bytes, *, durable: bool) -> bool:
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o666)
    except FileExistsError:
        return _holds(path, data)
    except OSError as error:
        raise storage_error(error, path, "create this file") from error
    try:
        _write_all(descriptor, data)
        if durable:
            os.fsync(descriptor)
    except OSError as error:
        raise storage_error(error, path, "create this file") from error
    finally:
        os.close(descriptor)
    return True


def _holds(path: str, data: bytes) -> bool:
    return _content(path) == data


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise storage_error(error, path, "read this file back") from error


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
