"""Of what another host's folder says, this is a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.records.fields import VERSION, Fields
from xpm_engine.workspace.records.flat import is_list


@dataclass(frozen=True)
class Mirror:
    """Where the original is, and when it was last seen."""

    of: str
    """The host's name in xpm.toml."""
    as_of: str

    def to_json(self) -> Dict[str, Any]:
        return {"of": self.of, "as_of": self.as_of}

    @classmethod
    def read(cls, fields: Optional[Fields]) -> "Optional[Mirror]":
        """None for the field of an original."""
        return None if fields is None else cls(fields.text("of"), fields.text("as_of"))


@dataclass(frozen=True)
class MirrorState:
    """``N.mirror``: which job of another host attempt N is a copy of, and how far it was copied."""

    of: str
    """The host's name in xpm.toml."""
    attempt: int = 0
    """Its number there; 0 until it has one."""
    nonce: str = ""
    """Of its order there, which may be somebody else's."""
    machine: str = ""
    """The machine that it was sent to: a host's name may lead to another one tomorrow."""
    events: Tuple[int, int] = (0, 0)
    """Bytes of events.jsonl there that were copied, and how long the file here is with them."""
    metrics: Tuple[int, int] = (0, 0)

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "of": self.of,
            "attempt": self.attempt,
            "nonce": self.nonce,
            "machine": self.machine,
            "events": list(self.events),
            "metrics": list(self.metrics),
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "MirrorState":
        fields = Fields(data, where)
        fields.version()
        return cls(
            of=fields.text("of"),
            attempt=fields.integer("attempt"),
            nonce=fields.text("nonce"),
            machine=fields.text("machine"),
            events=_pair(fields, "events"),
            metrics=_pair(fields, "metrics"),
        )


@dataclass(frozen=True)
class FarFile:
    """A file of a result that is on its host alone."""

    path: str
    """Below the job's folder."""
    size: int


@dataclass(frozen=True)
class Fetched:
    """``fetched.json``: what of a result on another host was brought here."""

    of: str
    root: str
    """The job's folder there."""
    files: int
    """How many were brought."""
    left: int
    """How many are there alone."""
    left_size: int = 0
    """Bytes of those; 0 where an older version noted only how many they are."""
    there: Tuple[FarFile, ...] = ()
    """Those by name, as many as are noted."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "of": self.of,
            "root": self.root,
            "files": self.files,
            "left": self.left,
            "left_size": self.left_size,
            "there": [[file.path, file.size] for file in self.there],
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Fetched":
        fields = Fields(data, where)
        fields.version()
        named = fields.items("there") if "there" in data else []
        return cls(
            of=fields.text("of"),
            root=fields.text("root"),
            files=fields.integer("files"),
            left=fields.integer("left"),
            left_size=fields.optional_integer("left_size") or 0,
            there=tuple(_far_file(each, where) for each in named),
        )


def _far_file(told: object, where: str) -> FarFile:
    if is_list(told) and len(told) == 2:
        path, size = told
        if isinstance(path, str) and type(size) is int:
            return FarFile(path, size)
    raise UnreadableError("field 'there' holds what is no path with a size", where=where)


def _pair(fields: Fields, name: str) -> Tuple[int, int]:
    values = fields.items(name)
    if len(values) != 2 or not all(type(value) is int for value in values):
        raise UnreadableError(f"field {name!r} is no pair of numbers", where=fields.where)
    return values[0], values[1]
