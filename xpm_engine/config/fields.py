"""How a field is declared: the kinds, and what `field` and `pathgenerator` say about one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, TypeVar, overload

from xpm_engine.config.former import Deprecated
from xpm_engine.errors import DefinitionError
from xpm_engine.workspace.layout import XPM
from xpm_engine.workspace.records.params import FieldKind

T = TypeVar("T")

Param = Annotated[T, FieldKind.PARAM]
"""A parameter: part of the identifier, unless it equals its default."""

Option = Annotated[T, FieldKind.OPTION]
"""A parameter that does not change the outcome: not in the identifier."""

Constant = Annotated[T, FieldKind.CONSTANT]
"""A value that is always in the identifier and never set: a version, say."""


class Missing:
    """The type of `MISSING`."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()
"""No value and no default."""


@dataclass(frozen=True, eq=False)
class Field:
    """What `field` says."""

    default: object = MISSING
    default_factory: Callable[[], object] | None = None
    help: str = ""
    identifier_default: object = MISSING
    deprecated: Deprecated | None = None


@dataclass(frozen=True)
class PathGenerator:
    """What `pathgenerator` says."""

    name: str
    without: tuple[str, ...] = ()


@overload
def field(
    *,
    default: T,
    help: str = "",
    identifier_default: object = MISSING,
    deprecated: Deprecated | None = None,
) -> T: ...


@overload
def field(
    *,
    default_factory: Callable[[], T],
    help: str = "",
    identifier_default: object = MISSING,
    deprecated: Deprecated | None = None,
) -> T: ...


@overload
def field(
    *,
    help: str = "",
    identifier_default: object = MISSING,
    deprecated: Deprecated | None = None,
) -> Any: ...


def field(
    *,
    default: object = MISSING,
    default_factory: Callable[[], object] | None = None,
    help: str = "",  # noqa: A002 (the word that users know from argparse and click)
    identifier_default: object = MISSING,
    deprecated: Deprecated | None = None,
) -> Any:
    """Declare a parameter with more than its default.

    `default_factory` makes the default anew for every object. `help` is its documentation, where
    no docstring stands under the attribute. `identifier_default` is the value that is left out of
    the identifier instead of the default: with it a default may change and old results stay valid.
    `deprecated` says what the parameter was called before.
    """
    if default is not MISSING and default_factory is not None:
        raise DefinitionError("field() takes a default or a default_factory, not both")
    return Field(default, default_factory, help, identifier_default, deprecated)


def pathgenerator(name: str, *, without: tuple[str, ...] = (), init: Literal[False] = False) -> Any:
    """Declare a path inside the job's folder; it is no part of the identifier.

    `without` names parameters (dotted ones too): the path is then in a folder that all jobs share
    which differ in those parameters only, as checkpoints of ``max_epoch=10`` serve ``=20``. One
    job at a time runs on it.
    """
    del init  # read by type checkers alone: the field is not given to the constructor
    parts = PurePosixPath(name).parts
    if not name or name.startswith("/") or "\0" in name or ".." in parts or parts[:1] == (XPM,):
        raise DefinitionError(
            f"pathgenerator({name!r}) does not name a file inside the job's folder",
            hint=f"use a relative name without '..', and not {XPM}",
        )
    return PathGenerator(name, tuple(without))
