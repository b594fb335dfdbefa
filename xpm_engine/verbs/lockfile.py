"""The lock file of a plan's identifiers: JSON that is kept under version control.

It has the jobs in the order of the plan, and every object that they are made from once, by its
digest. Nothing in it tells of a machine or a day, so that only what changes an identifier, or what
is computed under it, changes the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xpm_engine.errors import ConfigError, UnreadableError
from xpm_engine.workspace.canonical import is_list, is_object
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import Fields
from xpm_engine.workspace.records.params import (
    ENCODING,
    CodeRecord,
    FieldKind,
    FieldRecord,
    ObjectRecord,
    ParamsRecord,
)
from xpm_engine.workspace.records.reasons import read_key

VERSION = 1
_HASHED = (FieldKind.PARAM, FieldKind.CONSTANT)
_NO_CODE = CodeRecord("", "", "", "")


@dataclass(frozen=True)
class LockedJob:
    """One job of a plan."""

    key: JobKey
    tags: Mapping[str, Any]
    params: ParamsRecord
    """Without options and documentation, where it was read from a file."""


@dataclass(frozen=True)
class Lock:
    """The identifiers of a plan, and what they are made from."""

    jobs: tuple[LockedJob, ...]
    """In the order of the plan."""
    arguments: tuple[tuple[str, str], ...] = ()
    """The NAME=VALUE pairs of the plan, sorted by name."""


def write_lock(lock: Lock) -> bytes:
    """The file's content: the same bytes for the same identifiers.

    Raises ConfigError for values that are nested too deeply for JSON.
    """
    objects: dict[str, Any] = {}
    try:
        for job in lock.jobs:
            digests = [each.digest for each in job.params.objects]
            for each in job.params.objects:
                if each.digest not in objects:
                    objects[each.digest] = _object_json(each, digests)
        data = {
            "v": VERSION,
            "encoding": ENCODING,
            "arguments": dict(lock.arguments),
            "jobs": [_job_json(job) for job in lock.jobs],
            "objects": dict(sorted(objects.items())),
        }
        return (json.dumps(data, indent=1) + "\n").encode()
    except RecursionError:
        raise ConfigError(
            "a parameter's lists are nested too deeply for a lock file",
            hint="put configurations between the levels",
        ) from None


def read_lock(data: bytes, where: str) -> Lock:
    """Read what `write_lock` made; raises UnreadableError for anything else."""
    try:
        top = _fields(json.loads(data), where)
        top.version(VERSION)
        encoding = top.integer("encoding")
        objects = {each: _fields(part, where) for each, part in top.mapping("objects").items()}
        jobs = tuple(_job(_fields(item, where), objects, encoding) for item in top.items("jobs"))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UnreadableError("is truncated, or no JSON", where=where) from None
    return Lock(jobs, tuple(sorted((name, str(x)) for name, x in top.mapping("arguments").items())))


def _job_json(job: LockedJob) -> dict[str, Any]:
    data: dict[str, Any] = {"task": job.key.task, "id": job.key.identifier}
    if job.tags:
        data["tags"] = dict(sorted(job.tags.items()))
    return data


def _job(fields: Fields, objects: Mapping[str, Fields], encoding: int) -> LockedJob:
    key = read_key(fields)
    rows: dict[str, int] = {}
    found: list[ObjectRecord] = []
    for digest in _postorder(key.identifier, objects, fields.where):
        rows[digest] = len(found)
        found.append(_object(digest, objects[digest], rows))
    params = ParamsRecord(len(found) - 1, tuple(found), _NO_CODE, encoding)
    return LockedJob(key, fields.mapping("tags"), params)


def _postorder(root: str, objects: Mapping[str, Fields], where: str) -> list[str]:
    """The digests of all that an object is made of, parts first; raises UnreadableError."""
    order: dict[str, None] = {}
    stack = [root]
    open_: set[str] = set()
    while stack:
        digest = stack[-1]
        if digest in order:
            stack.pop()
        elif digest in open_:
            order[digest] = None
            stack.pop()
        elif digest not in objects:
            raise UnreadableError(f"the object {digest} is missing", where=where)
        else:
            open_.add(digest)
            below = list(_digests_in(objects[digest].mapping("fields")))
            if any(each in open_ and each not in order for each in below):
                raise UnreadableError(f"the object {digest} is part of itself", where=where)
            stack.extend(reversed(below))
    return list(order)


def _digests_in(value: object) -> Iterator[str]:
    """The digests that a value refers to."""
    stack = [value]
    while stack:
        item = stack.pop()
        if is_list(item):
            stack.extend(item)
        elif is_object(item):
            digest = item.get("$config")
            if isinstance(digest, str) and len(item) == 1:
                yield digest
            else:
                stack.extend(item.values())


def _object_json(each: ObjectRecord, digests: Sequence[str]) -> dict[str, Any]:
    data: dict[str, Any] = {
        "type": each.type_name,
        "class": each.class_name,
        "resolved": each.resolved,
    }
    if each.producer is not None:
        data["job"] = str(each.producer)
        data["job_resolved"] = each.producer_resolved
    if each.is_task:
        data["is_task"] = True
    if each.distinct:
        data["distinct"] = each.distinct
    hashed = sorted((part for part in each.fields if part.kind in _HASHED), key=lambda x: x.name)
    data["fields"] = {part.name: _field_json(part, digests) for part in hashed}
    return data


def _object(digest: str, fields: Fields, rows: Mapping[str, int]) -> ObjectRecord:
    job = fields.optional_text("job")
    return ObjectRecord(
        type_name=fields.text("type"),
        module="",
        qualname=fields.text("class"),
        digest=digest,
        resolved=fields.text("resolved"),
        fields=tuple(
            _field(name, _fields(part, fields.where), rows)
            for name, part in fields.mapping("fields").items()
        ),
        producer=None if job is None else JobKey.parse(job),
        producer_resolved=fields.optional_text("job_resolved") or "",
        is_task=fields.flag("is_task"),
        distinct=fields.optional_text("distinct") or "",
    )


def _field_json(part: FieldRecord, digests: Sequence[str]) -> dict[str, Any]:
    data: dict[str, Any] = {"value": _relinked(part.value, digests), "digest": part.digest}
    if part.kind is FieldKind.CONSTANT:
        data["constant"] = True
    if part.is_default:
        data["is_default"] = True
    elif part.has_default:
        data["default"] = part.default
    if part.left_out is not None:
        data["left_out"] = part.left_out
    return data


def _field(name: str, fields: Fields, rows: Mapping[str, int]) -> FieldRecord:
    value = _relinked(fields.data.get("value"), rows)
    is_default = fields.flag("is_default")
    return FieldRecord(
        name=name,
        kind=FieldKind.CONSTANT if fields.flag("constant") else FieldKind.PARAM,
        value=value,
        is_default=is_default,
        digest=fields.text("digest"),
        type="",
        has_default=is_default or "default" in fields.data,
        default=value if is_default else fields.data.get("default"),
        left_out=None if fields.data.get("left_out") is None else fields.flag("left_out"),
    )


def _relinked(value: object, links: Any) -> Any:
    """A canonical value whose references are looked up in `links`."""
    if is_list(value):
        return [_relinked(item, links) for item in value]
    if not is_object(value):
        return value
    if len(value) == 1 and "$config" in value:
        return {"$config": links[value["$config"]]}
    return {name: _relinked(item, links) for name, item in value.items()}


def _fields(value: object, where: str) -> Fields:
    if not is_object(value):
        raise UnreadableError("holds something that is no JSON object", where=where)
    return Fields(value, where)
