"""What must be on a host before a job can run there: code, upstream results, the order itself.

All of it is asked by content or by nonce, so that it may be cut anywhere and asked again.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xpm_engine.config.paths import ABSOLUTE
from xpm_engine.errors import LaunchError, OccupiedError, ProtocolError, StorageError
from xpm_engine.launchers.bundle import Bundle
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace import aliases, tickets
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.layout import XPM, JobKey, JobPaths, WorkspacePaths
from xpm_engine.workspace.records.flat import is_list, is_object
from xpm_engine.workspace.records.mirror import Fetched
from xpm_engine.workspace.records.params import CodeRecord, FieldRecord, ObjectRecord, ParamsRecord
from xpm_engine.workspace.records.resources import Granted
from xpm_engine.workspace.records.tickets import Launch

SMALL = 1 << 17
"""Bytes of a file up to which many travel together."""

PIECE = 1 << 19
"""Bytes of one piece of what travels."""

_STAYS = (".launch", ".start", ".end", ".handle", ".mirror", ".tmp", "fetched.json")
"""Ends of names in ``.xpm/`` that belong to this place alone."""

MOST_TOGETHER = 200
"""Files in one request."""

AHEAD = 8
"""Pieces of a file that are on their way at a time: 4 MB."""

TRIES = 3
"""Stages that are asked for until one is kept."""


@dataclass(frozen=True)
class Parcel:
    """A file that travels."""

    path: str
    """Below the folder that it is put into."""
    source: str
    size: int
    executable: bool
    sha256: str | None = None
    """None: not known yet."""


def put_folder(connection: Connection, files: Sequence[Parcel], place: str, *, sender: str) -> None:
    """Put files into a folder that takes its `place` when it is complete; resumed where cut.

    Others may do the same at the same time: the first who is ready is who put it there.
    """

    def put(stage: str) -> None:
        put_files(connection, files, stage, staged=True)
        connection.ask("settle", stage=stage, place=place)

    _staged(connection, place, sender, put)


def _staged(connection: Connection, place: str, sender: str, put: Callable[[str], None]) -> None:
    """`put` files into a stage of this sender's own, unless `place` is there already."""
    for left in reversed(range(TRIES)):
        answer = connection.ask("stage", place=place, sender=sender)
        if answer["there"]:
            return
        try:
            put(answer["stage"])
        except StorageError:
            # While the connection was cut, somebody may have gone on with what was put there.
            if not left or connection.ask("stat", paths=[answer["stage"]])["stamps"][0]:
                raise
        else:
            return


def put_files(
    connection: Connection, files: Sequence[Parcel], folder: str, *, staged: bool = False
) -> None:
    """Put those files below a folder that are not there yet, small ones many at a time.

    `staged`: the folder is a stage, which is not made again.
    """
    there = _sizes(connection, folder)
    stage = folder if staged else None
    missing = [file for file in files if there.get(file.path) != file.size]
    batch: list[Parcel] = []
    size = 0
    for file in missing:
        if file.size > SMALL:
            put_file(connection, file, f"{folder}/{file.path}", stage=stage)
            continue
        if size + file.size > PIECE or len(batch) == MOST_TOGETHER:
            _put_batch(connection, batch, folder, stage)
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch or not files:
        _put_batch(connection, batch, folder, stage)


def put_file(connection: Connection, file: Parcel, path: str, *, stage: str | None = None) -> None:
    """Put one file, from where it was cut. Raises LaunchError if it changes.

    Some pieces are on their way at a time, so that a far host is not waited for after each.
    """
    digest = file.sha256 or sum_of(file.source)
    asked: dict[str, Any] = {
        "path": path,
        "sha256": digest,
        "size": file.size,
        "executable": file.executable,
        "stage": stage,
    }
    answer = connection.ask("put", at=0, **asked)
    at, damaged = answer["have"], 0
    ahead: deque[tuple[int, Callable[[], Any]]] = deque()
    with open(file.source, "rb") as source:
        while not answer["done"]:
            while len(ahead) < AHEAD and (at < file.size or not ahead):
                source.seek(at)
                piece = source.read(PIECE)
                if not piece:
                    raise LaunchError("it became shorter while it was shipped", where=file.source)
                answered = connection.begin("put", data=piece, at=at, **asked)
                at += len(piece)
                ahead.append((at, answered))
            end, answered = ahead.popleft()
            answer = answered()
            damaged += bool(answer.get("damaged"))
            if damaged > 1:
                raise LaunchError(
                    "it changed while it was shipped, or can't be shipped whole",
                    where=file.source,
                )
            if answer["have"] != end:
                # Somebody else puts it too, or it was damaged: begin again at what is there.
                for _, answered in ahead:
                    answer = answered()
                ahead.clear()
                at = answer["have"]


def sum_of(path: str) -> str:
    """A file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put_bundle(
    connection: Connection, bundle: Bundle, workspace: WorkspacePaths, *, sender: str
) -> str:
    """Put code where it belongs, once; its folder there."""
    place = f"{workspace.code}/{bundle.identifier}"
    files = [
        Parcel(file.path, file.source, file.size, file.executable, file.sha256)
        for file in bundle.files
    ]
    for _ in range(TRIES):
        put_folder(connection, files, place, sender=sender)
        if connection.ask("use", places=[place])["used"] == [True]:
            return place
    raise ProtocolError(f"{connection.name} has put {place} in its place, and does not have it")


def check_platform(bundle: Bundle, there: str, host: str) -> None:
    """Raises LaunchError for files that were compiled for another kind of machine."""
    here = f"{platform.system()} {platform.machine()}"
    if bundle.compiled and here != there:
        named = "\n         ".join(file.source for file in bundle.compiled[:5])
        raise LaunchError(
            f"the code to ship was compiled for {here}, and {host} is {there}",
            where=named,
            hint="install that package there, and exclude it under [code] in xpm.toml",
        )


def put_upstream(
    connection: Connection,
    here: WorkspacePaths,
    there: WorkspacePaths,
    key: JobKey,
    *,
    host: str,
    sender: str,
) -> None:
    """Put a finished result where a job there looks for it, unless it is there already.

    Raises LaunchError where the whole of it is not here, OccupiedError while somebody makes it
    there.
    """
    real = aliases.resolve(here, key)
    if real != key:
        put_upstream(connection, here, there, real, host=host, sender=sender)
        source = here.job(key).alias
        parcel = Parcel("alias.json", source, os.path.getsize(source), executable=False)
        put_files(connection, [parcel], there.job(key).xpm)
        return
    job = here.job(key)
    attempt = tickets.last_attempt(job)
    if attempt is None or attempt.start is None or attempt.end is None:
        raise LaunchError(f"the result of {key} is not here any more")
    asked: dict[str, Any] = {"root": there.root, "launch": attempt.launch.to_json()}
    found = connection.ask("has", **asked)
    if found["has"]:
        return
    occupied = OccupiedError(f"somebody makes the result of {key} on {host}")
    if found["busy"]:
        raise occupied
    if attempt.start.mirror is not None and not fetched_all(job):
        raise LaunchError(
            f"the result of {key} is on {attempt.start.mirror.of} alone, and {host} needs it",
            hint='let both run on one host, or write fetch = "all" under '
            f"[hosts.{attempt.start.mirror.of}]",
        )
    asked.update(start=attempt.start.to_json(), end=attempt.end.to_json())

    def put(stage: str) -> None:
        put_files(connection, list(_result(job.root)), stage, staged=True)
        if not connection.ask("install", stage=stage, **asked)["has"]:
            raise occupied

    _staged(connection, there.arriving(attempt.launch.nonce), sender, put)


def put_early(
    connection: Connection, here: WorkspacePaths, there: WorkspacePaths, name: str, host: str
) -> None:
    """Put a file of a job that goes on elsewhere (``task/identifier/path``) where it is there.

    Where that job runs on the host the file is there. Raises LaunchError where it is nowhere.
    """
    path, source = f"{there.jobs}/{name}", f"{here.jobs}/{name}"
    if connection.ask("stat", paths=[path])["stamps"][0] is not None:
        return
    if not os.path.isfile(source):
        raise LaunchError(
            f"{name} is needed on {host}, and is no file of this machine",
            hint="let both jobs run on one host, or watch files instead of folders",
        )
    found = os.stat(source)
    put_file(connection, Parcel("", source, found.st_size, bool(found.st_mode & 0o100)), path)


def fetched_all(job: JobPaths) -> bool:
    """Whether all of a far result was brought here; raises UnreadableError."""
    try:
        return Fetched.from_json(read_object(job.fetched), job.fetched).left == 0
    except FileNotFoundError:
        return False


def order_for(
    launch: Launch,
    code: CodeRecord,
    *,
    paths: Mapping[str, str],
    host: str,
) -> Launch:
    """An order as it is given on a host: code and absolute paths are where they are there.

    Raises LaunchError for an absolute path that nothing maps.
    """
    params = ParamsRecord.from_json(launch.params, str(launch.key))
    objects = tuple(
        replace(record, fields=tuple(_moved(record, part, paths, host) for part in record.fields))
        for record in params.objects
    )
    moved = replace(params, objects=objects, code=code)
    # What is granted there is told beside the order.
    resources = {**launch.resources, **Granted().to_json()}
    return replace(launch, params=moved.to_json(), resources=resources)


def _moved(
    record: ObjectRecord, part: FieldRecord, paths: Mapping[str, str], host: str
) -> FieldRecord:
    where = (record.class_name, part.name, host)
    return replace(part, value=_mapped(part.value, paths, where))


def _mapped(value: object, paths: Mapping[str, str], where: tuple[str, str, str]) -> object:
    """A canonical value with its absolute paths where they are on the host."""
    if is_list(value):
        return [_mapped(each, paths, where) for each in value]
    if not is_object(value):
        return value
    found = value.get("$path")
    if is_list(found) and found[:1] == [ABSOLUTE]:
        return {"$path": [ABSOLUTE, _map_path(str(found[1]), paths, where)]}
    return {name: _mapped(each, paths, where) for name, each in value.items()}


def _map_path(path: str, paths: Mapping[str, str], where: tuple[str, str, str]) -> str:
    owner, name, host = where
    for folder, there in sorted(paths.items(), key=lambda pair: -len(pair[0])):
        if path == folder or path.startswith(folder.rstrip("/") + "/"):
            return there.rstrip("/") + path[len(folder.rstrip("/")) :]
    raise LaunchError(
        f"{owner}.{name} is the path {path}, and nothing says where that is on {host}",
        hint=f'write under [hosts.{host}.paths]: "{os.path.dirname(path)}" = "the folder there"',
    )


def _result(root: str) -> Iterator[Parcel]:
    """The files of a finished job: what its task wrote, and what tells of it."""
    left_out = {f"{XPM}/{name}" for name in ("attempts", "lock", "alive")}
    for parent, folders, names in os.walk(root):
        inside = os.path.relpath(parent, root)
        inside = "" if inside == "." else inside + "/"
        folders[:] = [name for name in folders if inside + name not in left_out]
        for name in names:
            path = inside + name
            source = os.path.join(parent, name)
            ticket = inside == f"{XPM}/" and name.endswith(_STAYS)
            if path in left_out or ticket or os.path.islink(source):
                continue
            found = os.stat(source)
            yield Parcel(path, source, found.st_size, bool(found.st_mode & 0o100))


def _sizes(connection: Connection, folder: str) -> dict[str, int]:
    """What is there below a folder already: path -> size."""
    if connection.ask("stat", paths=[folder])["stamps"][0] is None:
        return {}
    found: dict[str, int] = {}
    for part in connection.stream("walk", path=folder, skip=[]):
        for entry in part.body.get("entries", ()):
            if entry["kind"] == "file":
                found[entry["name"]] = entry["size"]
    return found


def _put_batch(
    connection: Connection, batch: Sequence[Parcel], folder: str, stage: str | None
) -> None:
    data = bytearray()
    rows: list[list[Any]] = []
    for file in batch:
        with open(file.source, "rb") as source:
            content = source.read(SMALL + 1)
        if len(content) != file.size:
            raise LaunchError("it changed while it was shipped", where=file.source)
        rows.append([file.path, file.size, file.executable])
        data += content
    answer = connection.ask("put_all", data=bytes(data), root=folder, files=rows, stage=stage)
    if answer.get("files") != len(rows):
        raise ProtocolError(f"{connection.name} has not put all files that it was given")
