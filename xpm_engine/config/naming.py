"""What a class is called: in the identifier, on disk, and where a job imports it from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from xpm_engine.errors import DefinitionError
from xpm_engine.workspace.layout import task_folder

_MAIN = "__main__"

R = TypeVar("R")


def per_class(function: Callable[[type], R]) -> Callable[[type], R]:
    """Remember the answer for each class."""
    return cast("Callable[[type], R]", cache(function))


@per_class
def type_name(cls: type) -> str:
    """The name that is hashed: ``__xpmid__`` if the class has its own, else where it is."""
    own = cls.__dict__.get("__xpmid__")
    return own if isinstance(own, str) else f"{module_name(cls)}.{cls.__qualname__}"


@per_class
def task_name(cls: type) -> str:
    """The TASK-ID of a class: the name of its folder in ``jobs/``.

    Raises BadNameError where the type name can't be a folder's name.
    """
    return task_folder(type_name(cls))


@per_class
def module_name(cls: type) -> str:
    """The module a job imports the class from; a script's is its file's dotted name."""
    if cls.__module__ != _MAIN:
        return cls.__module__
    main = sys.modules.get(_MAIN)
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    file = getattr(main, "__file__", None)
    # Standard input calls itself the file <stdin>.
    return _MAIN if file is None or file.startswith("<") else dotted_name(Path(file))


def dotted_name(file: Path) -> str:
    """The module name of a script: its stem with the packages that enclose it."""
    parts = [file.stem]
    folder = file.absolute().parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts)


@per_class
def source_file(cls: type) -> str:
    """The absolute path of the file the class is written in; empty where there is none."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return str(Path(file).absolute()) if file else ""


def check_importable(cls: type) -> None:
    """Refuse a class that a job's process could not import, or that has no lasting name."""
    if "__xpmid__" in cls.__dict__:
        return
    if "<locals>" in cls.__qualname__:
        what = f"{cls.__qualname__} is defined inside a function, where no job can import it"
    elif module_name(cls) == _MAIN:
        what = f"{cls.__qualname__} is defined in a notebook or on standard input"
    else:
        return
    raise DefinitionError(what, hint="put the class in a module or set __xpmid__")
