"""Types that users teach us: how a value becomes JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from xpm_engine.config.naming import type_name
from xpm_engine.errors import DefinitionError, ParameterError

T = TypeVar("T")


@dataclass(frozen=True)
class RegisteredType:
    """A user's type."""

    cls: type
    name: str
    """The name that is hashed and stored."""
    encode: Callable[[Any], object]
    decode: Callable[[Any], object]

    def to_json(self, value: object) -> object:
        """The value as JSON; raises ParameterError where `encode` gives something else."""
        encoded = self.encode(value)
        try:
            return json.loads(json.dumps(encoded, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise ParameterError(
                f"encode of the registered type {self.name} does not give JSON: {error}"
            ) from error


_by_class: dict[type, RegisteredType] = {}
_by_name: dict[str, RegisteredType] = {}


def register_type(
    cls: type[T],
    *,
    encode: Callable[[T], object],
    decode: Callable[[Any], T],
    name: str = "",
) -> None:
    """Let parameters hold values of this class.

    `encode` gives JSON (what is in it decides the identifier), `decode` gets it back in the job;
    `name` is the type's lasting name, by default where it is written. Do it in the module of the
    class, so that the job's process does it too. Raises DefinitionError if the name is taken.
    """
    entry = RegisteredType(cls, name or type_name(cls), encode, decode)
    other = _by_name.get(entry.name)
    if other is not None and (other.cls.__module__, other.cls.__qualname__) != (
        cls.__module__,
        cls.__qualname__,
    ):
        raise DefinitionError(f"the name {entry.name!r} is already registered for {other.cls!r}")
    _by_class[cls] = _by_name[entry.name] = entry


def registered(cls: type) -> RegisteredType | None:
    """The entry for a value's class, or for the nearest of its bases."""
    for base in cls.__mro__:
        entry = _by_class.get(base)
        if entry is not None:
            return entry
    return None


def registered_name(name: str) -> RegisteredType | None:
    """The entry of that name."""
    return _by_name.get(name)
