"""The NAME=VALUE pairs that a plan was started with: `xpm run plan.py lr=0.1`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from xpm_engine.errors import UsageError

_given: dict[str, str] = {}
_asked: set[str] = set()


class _Pairs(dict[str, str]):
    """Notes which of them a plan asks for; who goes through them asks for all."""

    def __getitem__(self, name: str) -> str:
        _asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        _asked.update([name] if isinstance(name, str) else ())
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        _asked.update(_given)
        return super().__iter__()

    def __repr__(self) -> str:
        _asked.update(_given)
        return super().__repr__()

    def get(self, name: str, default: Any = None, /) -> Any:
        _asked.add(name)
        return super().get(name, default)

    def pop(self, name: str, /, *default: Any) -> Any:
        _asked.add(name)
        return super().pop(name, *default)

    def keys(self) -> Any:
        _asked.update(_given)
        return super().keys()

    def values(self) -> Any:
        _asked.update(_given)
        return super().values()

    def items(self) -> Any:
        _asked.update(_given)
        return super().items()

    def copy(self) -> dict[str, str]:
        return dict(self)


def arguments() -> dict[str, str]:
    """The NAME=VALUE pairs of the command line; empty for ``python plan.py``."""
    return _Pairs(_given)


def pairs_given() -> dict[str, str]:
    """The same, for who is not the plan."""
    return dict(_given)


def never_asked() -> tuple[str, ...]:
    """The names that were given and that the plan did not ask `arguments()` for."""
    return tuple(name for name in _given if name not in _asked)


def set_arguments(pairs: Mapping[str, str]) -> None:
    """Say what the plan that is about to run was given."""
    _given.clear()
    _given.update(pairs)
    _asked.clear()


@contextmanager
def given(pairs: Mapping[str, str]) -> Generator[None]:
    """In this block a plan's file that is imported finds these pairs: those that it ran with."""
    before = pairs_given()
    set_arguments(pairs)
    try:
        yield
    finally:
        set_arguments(before)


def parse_arguments(texts: Iterable[str]) -> dict[str, str]:
    """Read NAME=VALUE pairs; raises UsageError for anything else, or a name given twice."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(
                f"{text!r} is not NAME=VALUE",
                hint="a plan's arguments are written like `xpm run plan.py seed=1`",
            )
        if name in pairs:
            raise UsageError(f"{name} is given twice, as {pairs[name]!r} and as {value!r}")
        pairs[name] = value
    return pairs
