"""From a declared type to the function that checks a value and returns it in its exact form.

The common types are checked by plain functions, so that making a configuration is quick and a job
never imports pydantic; constraints given by ``Annotated`` are pydantic's (`constraints`).
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, cast, get_args, get_origin

from xpm_engine.config.containers import is_dict, is_sequence, is_set
from xpm_engine.config.node import Node, is_config_class
from xpm_engine.config.problems import Mismatch
from xpm_engine.config.registry import registered
from xpm_engine.config.scalars import CHECKS, IMMUTABLE, check_path, check_time, exact
from xpm_engine.config.typetext import type_text
from xpm_engine.errors import DefinitionError

Check = Callable[[Any], Any]
"""Returns the value in its exact form, or raises Mismatch."""

_LISTS = (list, Sequence, MutableSequence)
_DICTS = (dict, Mapping, MutableMapping)
_SETS = (set, frozenset, AbstractSet)


def compile_check(declared: Any) -> Check:
    """The check of a declared type; raises DefinitionError for one that can't be a parameter."""
    if declared is None:
        declared = type(None)
    if declared is Any or declared is object:
        return check_any
    if isinstance(declared, TypeVar):
        return compile_check(_bound(declared))
    if isinstance(declared, NewType):
        return compile_check(declared.__supertype__)
    origin = get_origin(declared)
    arguments = get_args(declared)
    if origin is Annotated:
        from xpm_engine.config.constraints import constrained

        return constrained(declared, compile_check(arguments[0]))
    if origin is Union or origin is types.UnionType:
        return _union(declared, arguments)
    if origin is Literal:
        return _literal(declared, arguments)
    kind: Any = origin or declared
    container = _container(declared, kind, arguments)
    if container is not None:
        return container
    if isinstance(kind, type):
        if kind in CHECKS:
            return CHECKS[kind]
        cls = cast("type[Any]", kind)
        if is_config_class(cls):
            return _config(cls)
        if issubclass(cls, Enum) or registered(cls) is not None:
            return _instance(cls)
    raise DefinitionError(
        f"{type_text(declared)} can't be the type of a parameter",
        hint="register_type() teaches how its values are written",
    )


def _bound(variable: TypeVar) -> Any:
    if variable.__bound__ is not None:
        return variable.__bound__
    if variable.__constraints__:
        return Union[variable.__constraints__]  # noqa: UP007 (made of a tuple)
    return Any


def _config(cls: type) -> Check:
    expected = cls.__name__

    def check(value: object) -> Any:
        if isinstance(value, cls):
            return value
        raise Mismatch(expected, value, note=_why_no_config(cls, value))

    return check


def _why_no_config(cls: type, value: object) -> str:
    if isinstance(value, type) and issubclass(value, cls):
        return f"the class itself: write {value.__name__}(...)"
    return ""


def _instance(cls: type) -> Check:
    def check(value: object) -> Any:
        if isinstance(value, cls):
            return value
        raise Mismatch(cls.__name__, value)

    return check


def _literal(declared: Any, allowed: tuple[Any, ...]) -> Check:
    expected = type_text(declared)
    table: dict[tuple[type, Any], Any] = {(type(value), value): value for value in allowed}

    def check(value: object) -> Any:
        plain = exact(value)
        try:
            return table[type(plain), plain]
        except (KeyError, TypeError):
            raise Mismatch(expected, value) from None

    return check


def _union(declared: Any, members: tuple[Any, ...]) -> Check:
    expected = type_text(declared)
    checks = [compile_check(member) for member in members]
    by_type = {member: CHECKS[member] for member in members if member in CHECKS}

    def check(value: object) -> Any:
        quick = by_type.get(type(value))
        if quick is not None:
            return quick(value)
        plain = exact(value)
        if type(plain) in by_type:
            return by_type[type(plain)](plain)
        inner: Mismatch | None = None
        for member in checks:
            try:
                return member(value)
            except Mismatch as mismatch:
                if mismatch.path or mismatch.note:
                    inner = mismatch
        raise Mismatch(expected, value, note=_inner_note(inner))

    return check


def _inner_note(inner: Mismatch | None) -> str:
    if inner is None:
        return ""
    return f"at {inner.path}: {inner}" if inner.path else inner.note


def _container(declared: Any, kind: Any, arguments: tuple[Any, ...]) -> Check | None:
    if kind in _LISTS:
        return _list(type_text(declared), _argument(arguments, 0))
    if kind is tuple:
        if not arguments and get_origin(declared) is None:
            return _tuple(type_text(declared), check_any)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return _tuple(type_text(declared), compile_check(arguments[0]))
        return _fixed_tuple(type_text(declared), [compile_check(each) for each in arguments])
    if kind in _SETS:
        return _set(type_text(declared), kind, _argument(arguments, 0))
    if kind in _DICTS:
        return _dict(type_text(declared), _argument(arguments, 0), _argument(arguments, 1))
    return None


def _argument(arguments: tuple[Any, ...], index: int) -> Check:
    return compile_check(arguments[index]) if index < len(arguments) else check_any


def _items(item: Check, value: Sequence[Any]) -> list[Any]:
    """Every item, checked; a Mismatch tells its index."""
    result: list[Any] = []
    try:
        for element in value:
            result.append(item(element))
    except Mismatch as mismatch:
        raise mismatch.inside(f"[{len(result)}]") from None
    return result


def _list(expected: str, item: Check) -> Check:
    def check(value: object) -> Any:
        if is_sequence(value):
            return _items(item, value)
        raise Mismatch(expected, value)

    return check


def _tuple(expected: str, item: Check) -> Check:
    def check(value: object) -> Any:
        if is_sequence(value):
            return tuple(_items(item, value))
        raise Mismatch(expected, value)

    return check


def _fixed_tuple(expected: str, items: list[Check]) -> Check:
    def check(value: object) -> Any:
        if not is_sequence(value):
            raise Mismatch(expected, value)
        if len(value) != len(items):
            raise Mismatch(expected, value, note=f"{len(items)} items, not {len(value)}")
        remaining = iter(items)

        def next_check(element: Any) -> Any:
            return next(remaining)(element)

        return tuple(_items(next_check, value))

    return check


def _set(expected: str, kind: Any, item: Check) -> Check:
    make = cast("Callable[[list[Any]], Any]", frozenset if kind is frozenset else set)

    def check(value: object) -> Any:
        if not is_set(value):
            raise Mismatch(expected, value)
        try:
            members: list[Any] = [item(element) for element in value]
            return make(members)
        except Mismatch as mismatch:
            raise mismatch.inside("{…}") from None
        except TypeError:
            raise Mismatch(expected, value, note="its items can't be in a set") from None

    return check


def _dict(expected: str, key: Check, item: Check) -> Check:
    def check(value: object) -> Any:
        if not is_dict(value):
            raise Mismatch(expected, value)
        result: dict[Any, Any] = {}
        for name, element in value.items():
            try:
                exact_name = key(check_key(name))
            except Mismatch as mismatch:
                raise mismatch.inside(f" key {name!r:.40}") from None
            try:
                result[exact_name] = item(element)
            except Mismatch as mismatch:
                raise mismatch.inside(f"[{name!r:.40}]") from None
        return result

    return check


def check_key(value: object) -> object:
    """A dict's key: any scalar."""
    plain = exact(value)
    if type(plain) in IMMUTABLE or isinstance(plain, Enum):
        return plain
    raise Mismatch("a scalar as key", value)


def check_any(value: object) -> Any:
    """Any value that can be written down, in its exact form, through containers."""
    kind = type(value)
    if kind in IMMUTABLE or isinstance(value, (Node, Enum)):
        return _check_special(value)
    for container, check in _ANY_CONTAINERS:
        if isinstance(value, container):
            return check(value)
    plain = exact(value)
    if type(plain) in IMMUTABLE:
        return plain
    for base in kind.__mro__:
        if base in CHECKS:
            return CHECKS[base](value)
    if registered(kind) is not None:
        return value
    raise Mismatch("a value that can be written down", value, note="see register_type()")


def _check_special(value: object) -> Any:
    kind = type(value)
    if kind in CHECKS and CHECKS[kind] in (check_path, check_time):
        return CHECKS[kind](value)
    return value


_ANY_CONTAINERS: tuple[tuple[type, Check], ...] = (
    (list, _list("list", check_any)),
    (tuple, _tuple("tuple", check_any)),
    (dict, _dict("dict", check_any, check_any)),
    (frozenset, _set("frozenset", frozenset, check_any)),
    (set, _set("set", set, check_any)),
)
