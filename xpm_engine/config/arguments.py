"""The NAME=VALUE pairs that a plan was started with: `xpm run plan.py lr=0.1`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager

from xpm_engine.errors import UsageError

_given: dict[str, str] = {}


def arguments() -> dict[str, str]:
    """The NAME=VALUE pairs of the command line; empty for ``python plan.py``."""
    return dict(_given)


def set_arguments(pairs: Mapping[str, str]) -> None:
    """Say what the plan that is about to run was given."""
    _given.clear()
    _given.update(pairs)


@contextmanager
def given(pairs: Mapping[str, str]) -> Generator[None]:
    """In this block a plan's file that is imported finds these pairs: those that it ran with."""
    before = arguments()
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
