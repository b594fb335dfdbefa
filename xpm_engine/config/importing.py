"""Finding a class again by the names a record has of it."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from xpm_engine.config.naming import dotted_name
from xpm_engine.config.reading import ImportStopped, reading
from xpm_engine.errors import LoadError
from xpm_engine.workspace.records.params import CodeRecord

ImportClass = Callable[[str, str], type]
"""Gives a class by module and qualified name; raises LoadError."""


def import_class(module: str, qualname: str) -> type:
    """Import a class; raises LoadError that says what is gone."""
    return _class_in(import_module(module, None), qualname)


def importer(code: CodeRecord) -> ImportClass:
    """How the classes of a record are imported: from where they were, scripts by their file."""
    for folder in code.sys_path:
        if folder not in sys.path:
            sys.path.append(folder)

    def find(module: str, qualname: str) -> type:
        return _class_in(import_module(module, code if module == code.module else None), qualname)

    return find


def import_module(name: str, code: CodeRecord | None) -> Any:
    """Import a module by name; a script that runs now is itself, one that does not by its file.

    Such a script is read for its classes only: it stops where it enters an experiment.
    """
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    spec = getattr(main, "__spec__", None)
    if main is not None and name == (spec.name if spec else file and dotted_name(Path(file))):
        return main
    if name in sys.modules:
        return sys.modules[name]
    if code is not None and "." not in name and Path(code.file).is_file():
        return _import_file(name, code.file)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise LoadError(
            f"the module {name} of a saved class is gone: {error}",
            hint="make it importable again; where it moved, keep its name with __xpmid__",
        ) from error


def _import_file(name: str, file: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise LoadError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with reading(), suppress(ImportStopped):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _class_in(module: Any, qualname: str) -> type:
    found: Any = module
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise LoadError(
            f"the saved class {qualname} is no longer in {module.__name__}",
            where=str(getattr(module, "__file__", module.__name__)),
            hint="put it back, or assign its new class to that name",
        )
    return found
