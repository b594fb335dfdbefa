"""Tags: what people call a variant; no part of any identifier."""

from __future__ import annotations

import math
from typing import Any, NoReturn, TypeVar, cast

from xpm_engine.config.node import Node, Phase, Scalar, state_of
from xpm_engine.config.problems import caller, describe
from xpm_engine.config.scalars import exact
from xpm_engine.errors import ParameterError, SealedError

T = TypeVar("T")
C = TypeVar("C", bound=Node)

MAX_BITS = 63
"""Of an integer that is told as a number."""

_SCALARS = (str, int, float, bool, type(None))


class Tagged:
    """What `tag` returns: good for one thing, to be given to a parameter."""

    def __init__(self, value: Scalar) -> None:
        object.__setattr__(self, "_value", value)

    def __repr__(self) -> str:
        return f"tag({_value(self)!r})"

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise ParameterError(
            f"{self!r} is used as a value: tag() goes directly into a parameter",
            where=caller(),
            hint="keep the value in a variable, and write tag(variable) where it is given",
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # what copy, pickle and inspect look for
        self._refuse()


_OPERATORS = """
str format bool int float complex index bytes hash len iter next contains reversed
getitem setitem call enter fspath setattr delattr eq ne lt le gt ge
neg pos abs invert round trunc floor ceil
add radd iadd sub rsub isub mul rmul imul truediv rtruediv floordiv rfloordiv mod rmod
divmod rdivmod pow rpow and rand or ror xor rxor lshift rlshift rshift rrshift matmul rmatmul
"""

for _operator in _OPERATORS.split():
    setattr(Tagged, f"__{_operator}__", Tagged._refuse)  # pyright: ignore[reportPrivateUsage]


def tag(value: T) -> T:
    """Mark the value of a parameter: ``max_epoch=tag(50)`` gives the tag ``max_epoch: 50``.

    Raises ParameterError for what is no scalar, and for any use but as a parameter.
    """
    plain = exact(value)
    if type(plain) not in _SCALARS:
        hint = "write .tag('key', value) after it" if isinstance(value, Node) else None
        raise ParameterError(
            f"tag() takes a text, number, bool or None, got {describe(value)}",
            where=caller(),
            hint=hint,
        )
    return cast("T", Tagged(cast("Scalar", plain)))


def untag(tagged: Tagged) -> Any:
    """The value inside."""
    return _value(tagged)


def _value(tagged: Tagged) -> Any:
    return object.__getattribute__(tagged, "_value")


def add_tag(node: Node, key: str, value: object) -> None:
    """Tag an object; raises ParameterError for a bad tag, SealedError after `submit`."""
    plain = exact(value)
    if isinstance(value, Tagged):
        plain = untag(value)
    where = caller()
    if type(key) is not str or not key.isprintable() or not key.strip():
        raise ParameterError(f"a tag's key is a text, got {describe(key)}", where=where)
    if type(plain) not in _SCALARS:
        raise ParameterError(
            f"a tag's value is a text, number, bool or None, got {describe(value)}", where=where
        )
    state = state_of(node)
    if state.phase is Phase.SEALED:
        raise SealedError(
            f"{type(node).__name__} was submitted and can't be tagged any more",
            where=where,
            hint="tag it before submit()",
        )
    set_tag(node, key, cast("Scalar", plain))


def set_tag(node: Node, key: str, value: Scalar) -> None:
    """Keep a tag that was checked; a number that JSON can't hold is told by its text."""
    state = state_of(node)
    if state.tags is None:
        state.tags = {}
    if type(value) is float and not math.isfinite(value):
        value = repr(value)
    elif type(value) is int and value.bit_length() > MAX_BITS:
        value = hex(value)
    state.tags[key] = value


def distinct(name: str, config: C) -> C:
    """Name a configuration apart, so that it differs from an equal one; returns it.

    Two random generators with the same seed are the same to the identifier; ``distinct("left",
    Random(seed=1))`` and ``distinct("right", Random(seed=1))`` are two.
    """
    state = state_of(config)
    if state.phase is not Phase.OPEN:
        raise SealedError(f"{type(config).__name__} was submitted and can't change", where=caller())
    if type(name) is not str or not name:
        raise ParameterError(f"distinct() takes a name, got {describe(name)}", where=caller())
    state.distinct = name
    return config
