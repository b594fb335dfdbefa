"""Values as canonical JSON, and back: only objects with a ``$`` tag are special."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from xpm_engine.config.containers import is_dict, is_list, is_set, is_tuple
from xpm_engine.config.encoding import member_of
from xpm_engine.config.identifier import Hasher
from xpm_engine.config.importing import ImportClass
from xpm_engine.config.naming import module_name
from xpm_engine.config.node import Node
from xpm_engine.config.paths import PathRoots, absolute, locate
from xpm_engine.config.registry import registered, registered_name
from xpm_engine.errors import ConfigError, LoadError

_PLAIN_BITS = 63
"""Integers of more bits are written in hexadecimal: decimal text of any length is not portable."""


def to_json(value: object, rows: Mapping[int, int]) -> Any:  # noqa: PLR0912 (a branch a type)
    """A checked value as canonical JSON; `rows` has the row of each configuration, by its id."""
    kind = type(value)
    if value is None or isinstance(value, bool) or kind is str:
        return value
    if type(value) is int:
        return value if value.bit_length() <= _PLAIN_BITS else {"$int": hex(value)}
    if type(value) is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, Node):
        return {"$config": rows[id(value)]}
    if is_list(value):
        return [to_json(item, rows) for item in value]
    if is_tuple(value):
        return {"$tuple": [to_json(item, rows) for item in value]}
    if is_set(value):
        ordered = sorted(value, key=Hasher().digest)
        return {"$set": [to_json(item, rows) for item in ordered]}
    if is_dict(value):
        return {"$dict": [[to_json(k, rows), to_json(v, rows)] for k, v in value.items()]}
    if isinstance(value, Path):
        return {"$path": list(locate(value))}
    if isinstance(value, Enum):
        return {"$enum": [module_name(kind), kind.__qualname__, member_of(value)]}
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

    def value(self, data: object) -> Any:
        """The value of a piece of canonical JSON."""
        if data is None or isinstance(data, (bool, int, float, str)):
            return data
        if is_list(data):
            return [self.value(item) for item in data]
        if is_dict(data) and len(data) == 1:
            ((tag, content),) = data.items()
            try:
                value: Any = self._tagged(tag, content)
                return value
            except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
                raise LoadError(f"a saved {tag} can't be read: {error}") from error
        raise LoadError("a saved value is neither plain JSON nor has one known $ tag")

    def _tagged(self, tag: str, content: Any) -> Any:
        if tag == "$config":
            return self._object(content)
        if tag == "$path":
            root, relative = content
            return absolute(root, relative, self.roots)
        if tag == "$int":
            return int(content, 16)
        if tag == "$float":
            return float(content)
        if tag == "$tuple":
            return tuple(self.value(item) for item in content)
        if tag == "$set":
            return {_hashable(self.value(item)) for item in content}
        if tag == "$dict":
            return {self.value(k): self.value(v) for k, v in content}
        if tag == "$enum":
            module, qualname, member = content
            cls: Any = self.import_class(module, qualname)
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

    def _object(self, row: int) -> Node:
        return self.objects[row]


def _hashable(value: Any) -> Any:
    """A set's item as it was: what is in a set can't be a set that changes."""
    if is_set(value):
        return frozenset(value)
    return tuple(_hashable(item) for item in value) if is_tuple(value) else value


def _read_time(kind: str, content: Any) -> Any:
    if kind == "timedelta":
        return timedelta(microseconds=content)
    readers: dict[str, Callable[[str], Any]] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "time": time.fromisoformat,
    }
    return readers[kind](content)
