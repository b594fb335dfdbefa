"""Values as canonical JSON, and back: only objects with a ``$`` tag are special."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, cast

from xpm_engine.config.identifier import Hasher
from xpm_engine.config.importing import ImportClass
from xpm_engine.config.naming import module_name
from xpm_engine.config.node import Node
from xpm_engine.config.paths import PathRoots, absolute, locate
from xpm_engine.config.registry import registered, registered_name
from xpm_engine.errors import ConfigError, LoadError

_PLAIN_BITS = 63
"""Integers of more bits are written in hexadecimal: decimal text of any length is not portable."""


def to_json(value: Any, rows: Mapping[int, int]) -> Any:
    """A checked value as canonical JSON; `rows` has the row of each configuration, by its id."""
    kind: type = type(value)
    if kind is bool or kind is str or value is None:
        return value
    if kind is int:
        return value if value.bit_length() <= _PLAIN_BITS else {"$int": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, Node):
        return {"$config": rows[id(value)]}
    if isinstance(value, list):
        return [to_json(item, rows) for item in cast("list[Any]", value)]
    if isinstance(value, tuple):
        return {"$tuple": [to_json(item, rows) for item in cast("tuple[Any, ...]", value)]}
    if isinstance(value, (set, frozenset)):
        ordered = sorted(cast("set[Any]", value), key=Hasher().digest)
        return {"$set": [to_json(item, rows) for item in ordered]}
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return {"$dict": [[to_json(k, rows), to_json(v, rows)] for k, v in pairs]}
    if isinstance(value, Path):
        return {"$path": list(locate(value))}
    if isinstance(value, Enum):
        member = value.name if value.name is not None else value.value
        return {"$enum": [module_name(kind), kind.__qualname__, member]}
    if isinstance(value, (datetime, date, time)):
        return {"$time": [kind.__name__, value.isoformat()]}
    if isinstance(value, timedelta):
        return {"$time": ["timedelta", value // timedelta(microseconds=1)]}
    entry = registered(kind)
    if entry is None:
        raise ConfigError(f"{kind.__name__} can't be written as JSON; see register_type()")
    return {"$value": [entry.name, entry.to_json(value)]}


class Decoder:
    """Reads canonical JSON back; raises LoadError for anything else."""

    def __init__(self, objects: list[Node], roots: PathRoots, import_class: ImportClass) -> None:
        self.objects = objects
        """Row -> object, as far as they are built."""
        self.roots = roots
        self.import_class = import_class

    def value(self, data: Any) -> Any:
        """The value of a piece of canonical JSON."""
        if data is None or isinstance(data, (bool, int, float, str)):
            return data
        if isinstance(data, list):
            return [self.value(item) for item in cast("list[Any]", data)]
        if isinstance(data, dict) and len(cast("dict[str, Any]", data)) == 1:
            ((tag, content),) = cast("dict[str, Any]", data).items()
            try:
                return self._tagged(tag, content)
            except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
                raise LoadError(f"a saved {tag} can't be read: {error}") from error
        raise LoadError("a saved value is neither plain JSON nor has one known $ tag")

    def _tagged(self, tag: str, content: Any) -> Any:
        if tag == "$config":
            return self.objects[content]
        if tag == "$path":
            return absolute(*content, self.roots)
        if tag == "$int":
            return int(content, 16)
        if tag == "$float":
            return float(content)
        if tag == "$tuple":
            return tuple(self.value(item) for item in content)
        if tag == "$set":
            return {self.value(item) for item in content}
        if tag == "$dict":
            return {self.value(k): self.value(v) for k, v in content}
        if tag == "$enum":
            module, qualname, member = content
            cls = cast("type[Enum]", self.import_class(module, qualname))
            return cls[member] if isinstance(member, str) else cls(member)
        if tag == "$time":
            return _read_time(*content)
        if tag == "$value":
            entry = registered_name(content[0])
            if entry is None:
                raise LoadError(
                    f"no type is registered as {content[0]!r}",
                    hint="call register_type() in the module of the class",
                )
            return entry.decode(content[1])
        raise LoadError(f"a saved value has the unknown tag {tag!r}", hint="update xpm-tui")


def _read_time(kind: str, content: Any) -> Any:
    if kind == "timedelta":
        return timedelta(microseconds=content)
    readers = {"datetime": datetime, "date": date, "time": time}
    return readers[kind].fromisoformat(content)
