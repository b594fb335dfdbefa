"""Containers of sealed objects: what they are, but for changing."""

from __future__ import annotations

from typing import Any, NoReturn

from xpm_engine.config.containers import is_dict, is_list, is_set, is_tuple
from xpm_engine.config.node import Node
from xpm_engine.config.problems import caller
from xpm_engine.errors import SealedError


def _refuse(self: object, *_: object, **__: object) -> NoReturn:
    raise SealedError(
        f"this {type(self).__bases__[0].__name__} belongs to a submitted configuration "
        f"and can't change",
        where=caller(),
        hint="work on a copy of it",
    )


def _rebuild(kind: type, items: Any) -> Any:
    return kind(items)


class SealedList(list[Any]):
    """A list that can't change; copies and pickles of it are plain lists."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse

    def __reduce__(self) -> Any:
        return _rebuild, (list, list(self))

    def copy(self) -> list[Any]:
        return list(self)


class SealedDict(dict[Any, Any]):
    """A dict that can't change; copies and pickles of it are plain dicts."""

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = setdefault = clear = _refuse

    def __reduce__(self) -> Any:
        return _rebuild, (dict, list(self.items()))

    def copy(self) -> dict[Any, Any]:
        return dict(self)


class SealedSet(set[Any]):
    """A set that can't change; copies and pickles of it are plain sets."""

    __iand__ = __ior__ = __ixor__ = __isub__ = _refuse
    add = discard = remove = pop = clear = update = _refuse
    difference_update = intersection_update = symmetric_difference_update = _refuse

    def __reduce__(self) -> Any:
        return _rebuild, (set, list(self))

    def copy(self) -> set[Any]:
        return set(self)


def freeze(value: object) -> Any:
    """The value with every list, dict and set in it replaced by one that can't change."""
    if isinstance(value, Node):
        return value
    if is_list(value):
        return SealedList([freeze(item) for item in value])
    if is_tuple(value):
        return tuple(freeze(item) for item in value)
    if is_dict(value):
        return SealedDict((key, freeze(item)) for key, item in value.items())
    if is_set(value) and not isinstance(value, frozenset):
        return SealedSet(value)
    return value
