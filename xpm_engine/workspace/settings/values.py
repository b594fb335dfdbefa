"""Values of single settings, checked: each function returns what it was given in its own type.

All raise UsageError.
"""

from __future__ import annotations

import re
from typing import cast

from xpm_engine.errors import UsageError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def from_one(value: object) -> int:
    """A whole number from 1 on."""
    return _count(value, least=1)


def from_zero(value: object) -> int:
    """A whole number from 0 on."""
    return _count(value, least=0)


def _count(value: object, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"{value!r} is no such number", hint=f"a whole number from {least} on")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise UsageError(f"{value!r} is neither yes nor no", hint="true or false, without quotes")
    return value


def text(value: object) -> str:
    """A text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{value!r} is no text")
    return value


def variable(value: object) -> str:
    """The value of an environment variable; it may be empty."""
    if not isinstance(value, str) or "\0" in value:
        raise UsageError(f"{value!r} is no text", hint="write it in quotes")
    return value


def names(value: object) -> tuple[str, ...]:
    """Names of environment variables."""
    found = texts(value)
    for name in found:
        if not _VARIABLE.match(name):
            raise UsageError(f"{name!r} is no variable's name", hint='pass_env = ["WANDB_API_KEY"]')
    return found


def texts(value: object) -> tuple[str, ...]:
    """A list of texts."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in items):
        raise UsageError(f"{value!r} is no list of texts", hint='write it as ["one", "two"]')
    return tuple(map(str, items))
