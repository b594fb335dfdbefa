"""params.json: the canonical parameters of a job, with their hash tree and where its code is.

Viewers read it without the user's classes. The objects stand in one flat table, so that an object
used twice is written once; one refers to another as ``{"$config": INDEX}``, and always to an
earlier row. The values are canonical JSON, in which only objects with a ``$`` tag are special
(docs/identifiers.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Iterator, List, Optional, Tuple

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields, no_texts
from xpm_engine.workspace.records.flat import flatten_rows, is_list, is_object, value_text

ENCODING = 1
"""The version of the identifier's encoding that made the digests."""


class FieldKind(str, Enum):
    """What a field of a configuration is."""

    PARAM = "param"
    OPTION = "option"
    """Does not change the outcome: not in the identifier."""
    CONSTANT = "constant"
    """Always in the identifier, never set."""
    PATH = "path"
    """Generated inside the job's folder, or in a folder that jobs share."""


@dataclass(frozen=True)
class FieldRecord:
    """One field of one object."""

    name: str
    kind: FieldKind
    value: Any
    """Canonical JSON."""
    is_default: bool
    """Whether the value's digest is the default's."""
    digest: str
    """Of the value, 32 hexadecimal digits; empty for a generated path."""
    type: str
    """The declared type, as text."""
    help: str = ""
    has_default: bool = False
    default: Any = None
    """Canonical JSON; None too where there is no default."""
    left_out: Optional[bool] = None
    """Whether it is left out of the identifier; None: as `is_default` says."""

    @property
    def in_identifier(self) -> bool:
        """Whether the identifier is made from this value too."""
        if self.kind is FieldKind.CONSTANT:
            return True
        left_out = self.is_default if self.left_out is None else self.left_out
        return self.kind is FieldKind.PARAM and not left_out

    def to_json(self) -> Dict[str, Any]:
        data: Dict[str, Any] = {
            "name": self.name,
            "kind": self.kind.value,
            "value": self.value,
            "is_default": self.is_default,
            "digest": self.digest,
            "type": self.type,
        }
        if self.help:
            data["help"] = self.help
        if self.has_default:
            data["default"] = self.default
        if self.left_out is not None:
            data["left_out"] = self.left_out
        return data

    @classmethod
    def read(cls, fields: Fields) -> "FieldRecord":
        if "value" not in fields.data:
            raise UnreadableError("field 'value' is missing", where=fields.where)
        try:
            kind = FieldKind(fields.text("kind"))
        except ValueError:
            raise UnreadableError(
                "{!r} is no kind of field".format(fields.text("kind")), where=fields.where
            ) from None
        return cls(
            name=fields.text("name"),
            kind=kind,
            value=fields.data["value"],
            is_default=fields.flag("is_default"),
            digest=fields.text("digest"),
            type=fields.text("type"),
            help=fields.optional_text("help") or "",
            has_default="default" in fields.data,
            default=fields.data.get("default"),
            left_out=None if fields.data.get("left_out") is None else fields.flag("left_out"),
        )


def _no_tags() -> Dict[str, Any]:
    return {}


@dataclass(frozen=True)
class ObjectRecord:
    """One configuration: its class, its digests and its fields."""

    type_name: str
    """The name that is hashed; the same for all time, wherever the class is moved."""
    module: str
    qualname: str
    digest: str
    """The identifier, 32 hexadecimal digits."""
    resolved: str
    """The resolved digest: no default left out, upstream jobs by theirs."""
    fields: Tuple[FieldRecord, ...] = ()
    doc: str = ""
    """The first paragraph of the class's docstring."""
    producer: Optional[JobKey] = None
    """The job whose output it is; for a task that was submitted, its own job."""
    producer_resolved: str = ""
    """The resolved digest of that job."""
    is_task: bool = False
    distinct: str = ""
    """The name that tells it from an equal object."""
    tags: Dict[str, Any] = field(default_factory=_no_tags)
    """Its own tags: one scalar a key."""

    @property
    def class_name(self) -> str:
        """The class's name, for people."""
        return self.qualname.rpartition(".")[2]

    def get(self, name: str) -> Optional[FieldRecord]:
        """The field of that name."""
        for record in self.fields:
            if record.name == name:
                return record
        return None

    def to_json(self) -> Dict[str, Any]:
        data: Dict[str, Any] = {
            "type": self.type_name,
            "module": self.module,
            "qualname": self.qualname,
            "digest": self.digest,
            "resolved": self.resolved,
            "fields": [record.to_json() for record in self.fields],
        }
        if self.doc:
            data["doc"] = self.doc
        if self.producer is not None:
            data["job"] = str(self.producer)
            data["job_resolved"] = self.producer_resolved
        if self.is_task:
            data["task"] = True
        if self.distinct:
            data["distinct"] = self.distinct
        if self.tags:
            data["tags"] = self.tags
        return data

    @classmethod
    def read(cls, fields: Fields) -> "ObjectRecord":
        job = fields.optional_text("job")
        try:
            producer = None if job is None else JobKey.parse(job)
        except ValueError:
            raise UnreadableError("{!r} names no job".format(job), where=fields.where) from None
        return cls(
            type_name=fields.text("type"),
            module=fields.text("module"),
            qualname=fields.text("qualname"),
            digest=fields.text("digest"),
            resolved=fields.text("resolved"),
            fields=tuple(FieldRecord.read(part) for part in _parts(fields, "fields")),
            doc=fields.optional_text("doc") or "",
            producer=producer,
            producer_resolved=fields.optional_text("job_resolved") or "",
            is_task=fields.flag("task"),
            distinct=fields.optional_text("distinct") or "",
            tags=fields.mapping("tags"),
        )


@dataclass(frozen=True)
class CodeRecord:
    """Where the root's class is, so that the job's process can import it."""

    module: str
    """What to import it as; a script that ran as ``__main__`` has its file's dotted name here."""
    qualname: str
    file: str
    """Absolute path of the module's source file; empty where there is none."""
    project: str
    """The folder of the plan's file: what relative paths are relative to."""
    sys_path: Tuple[str, ...] = ()
    """Where the plan's process looked for modules, in order."""
    arguments: Dict[str, str] = field(default_factory=no_texts)
    """The NAME=VALUE pairs that the plan was started with: its file may ask for them again."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "module": self.module,
            "qualname": self.qualname,
            "file": self.file,
            "project": self.project,
            "sys_path": list(self.sys_path),
            "arguments": dict(self.arguments),
        }

    @classmethod
    def read(cls, fields: Fields) -> "CodeRecord":
        return cls(
            module=fields.text("module"),
            qualname=fields.text("qualname"),
            file=fields.text("file"),
            project=fields.text("project"),
            sys_path=tuple(fields.texts("sys_path")),
            arguments=fields.text_mapping("arguments"),
        )


@dataclass(frozen=True)
class ParamsRecord:
    """A configuration with everything that it is made of."""

    root: int
    """The row of the task itself."""
    objects: Tuple[ObjectRecord, ...]
    code: CodeRecord
    encoding: int = ENCODING

    @property
    def top(self) -> ObjectRecord:
        """The task itself."""
        return self.objects[self.root]

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "encoding": self.encoding,
            "root": self.root,
            "objects": [record.to_json() for record in self.objects],
            "code": self.code.to_json(),
        }

    @classmethod
    def from_json(cls, data: Any, where: str) -> "ParamsRecord":
        """Read what `to_json` wrote; raises UnreadableError for anything else."""
        if not is_object(data):
            raise UnreadableError("is not a JSON object", where=where)
        fields = Fields(data, where)
        fields.version()
        record = cls(
            root=fields.integer("root"),
            objects=tuple(ObjectRecord.read(part) for part in _parts(fields, "objects")),
            code=CodeRecord.read(fields.part("code")),
            encoding=fields.integer("encoding"),
        )
        record._check(where)
        return record

    def _check(self, where: str) -> None:
        if not 0 <= self.root < len(self.objects):
            raise UnreadableError("the root {} is no row".format(self.root), where=where)
        for row, record in enumerate(self.objects):
            for part in record.fields:
                for index in references(part.value):
                    if not 0 <= index < row:
                        raise UnreadableError(
                            "row {} ({}.{}) refers to row {}, which is not an earlier one".format(
                                row, record.class_name, part.name, index
                            ),
                            where=where,
                        )


def _parts(fields: Fields, name: str) -> Iterator[Fields]:
    for index, item in enumerate(fields.items(name)):
        where = "{} ({}[{}])".format(fields.where, name, index)
        if not is_object(item):
            raise UnreadableError("is not a JSON object", where=where)
        yield Fields(item, where)


def references(value: object) -> Iterator[int]:
    """The rows that a canonical value refers to, in order; anything malformed counts as -1."""
    stack: List[object] = [value]
    while stack:
        item = stack.pop()
        if is_list(item):
            stack.extend(reversed(item))
        elif is_object(item):
            if "$config" in item:
                index = item["$config"]
                yield index if type(index) is int else -1
            else:
                stack.extend(reversed(list(item.values())))


def flatten(record: ParamsRecord) -> Dict[str, Any]:
    """Dotted path -> value of the parameters and options that are not at their default.

    `flatten_rows` says what becomes of configurations inside others.
    """
    return flatten_rows(record.root, _Rows(record))


class _Rows:
    """A record as `flatten_rows` sees it."""

    def __init__(self, record: ParamsRecord) -> None:
        self._objects = record.objects

    def class_name(self, row: int) -> str:
        return self._objects[row].class_name

    def is_output(self, row: int) -> bool:
        return self._objects[row].producer is not None

    def fields(self, row: int) -> Iterator[Tuple[str, Any]]:
        for part in self._objects[row].fields:
            if part.kind in (FieldKind.PARAM, FieldKind.OPTION) and not part.is_default:
                yield part.name, part.value


def short_text(value: object, record: Optional[ParamsRecord] = None, *, limit: int = 60) -> str:
    """A canonical value as text of at most `limit` characters, for one cell of a screen."""
    return value_text(value, None if record is None else _Rows(record).class_name, limit)
