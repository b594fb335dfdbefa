"""Importing the classes that a record names: in a job, and where a configuration is loaded."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from traceback import walk_tb
from types import ModuleType, TracebackType

from xpm_engine.config.arguments import given
from xpm_engine.config.former import renamed_class
from xpm_engine.config.naming import dotted_name
from xpm_engine.config.reading import ImportStopped, reading
from xpm_engine.errors import LoadError
from xpm_engine.workspace.records.params import CodeRecord

ImportClass = Callable[[str, str], type]
"""Gives a class by module and qualified name; raises LoadError."""


def use_code(code: CodeRecord) -> None:
    """Let this process, a job's, find modules where the plan's process found them.

    The plan's own places come first and in its order; what this process had stays behind them.
    """
    ours = [path for path in sys.path if path not in code.sys_path]
    wanted = [*code.sys_path, *ours]
    if sys.path != wanted:
        sys.path[:] = wanted
        importlib.invalidate_caches()


def importer(code: CodeRecord) -> ImportClass:
    """How the classes of a record are imported.

    Where the record's process found modules is looked at last: this process has its own order.
    """
    for folder in code.sys_path:
        if folder not in sys.path:
            sys.path.append(folder)
    return lambda module, qualname: import_class(module, qualname, code)


def import_class(module: str, qualname: str, code: CodeRecord) -> type:
    """The class `qualname` of `module`, or the one that says with `deprecated` it was called so.

    Raises LoadError where the module does not import or the class is gone, and whatever else the
    module raises.
    """
    try:
        found: object = import_module(module, code)
    except ImportError as error:
        renamed = renamed_class(f"{module}.{qualname}")
        if renamed is not None:
            return renamed
        raise LoadError(
            f"the module {module} can't be imported: {error}",
            where=code.file or None,
            hint="is it installed, or beside the plan, on this machine? Where it was moved, "
            "keep its name with __xpmid__",
        ) from error
    for part in qualname.split("."):
        found = getattr(found, part, None)
    found = found or renamed_class(f"{module}.{qualname}")
    if not isinstance(found, type):
        raise LoadError(
            f"{module} has no class {qualname}",
            where=code.file or None,
            hint="was it renamed or moved since? Classes must stand above `with experiment(...)`",
        )
    return found


def import_module(module: str, code: CodeRecord) -> ModuleType:
    """A module by name: the script that runs is itself, another plan is found by its file.

    A plan is read for its classes, with the arguments it ran with: where it enters an experiment
    its import stops, and what is defined above is kept.

    Raises ImportError, LoadError where another module has the name of the plan's file, and
    whatever the module raises.
    """
    known = _running_script(module) or sys.modules.get(module)
    if known is not None:
        _check_is_own(known, module, code)
        return known
    with reading(), given(code.arguments):
        while True:
            try:
                return _execute(_find_spec(module, code))
            except (EOFError, ValueError) as error:
                if not _removed_cut_short(error.__traceback__):
                    raise


def _removed_cut_short(trace: TracebackType | None) -> bool:
    """Whether what Python keeps of a module was no whole code, and is away now.

    A full disk cuts it short, and then no import succeeds ever again
    (https://github.com/python/cpython/issues/126606).
    """
    frames = [frame for frame, _ in walk_tb(trace)]
    last = frames[-1] if frames else None
    if last is None or last.f_code.co_name != "_compile_bytecode":
        return False
    kept = last.f_locals.get("bytecode_path")
    if not isinstance(kept, str):
        return False
    try:
        os.unlink(kept)
    except OSError:
        return False
    return True


def _check_is_own(known: ModuleType, module: str, code: CodeRecord) -> None:
    """Raise LoadError where the plan's file would be shadowed by a module of Python's own."""
    if module == code.module and code.file and module in sys.stdlib_module_names:
        file = getattr(known, "__file__", None)
        if file is None or os.path.realpath(file) != os.path.realpath(code.file):
            raise LoadError(
                f"{module} is another module here: {file or 'a part of Python'}",
                where=code.file,
                hint="rename the plan's file: Python itself has a module of this name",
            )


def _running_script(module: str) -> ModuleType | None:
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    file = getattr(main, "__file__", None)
    name = spec.name if spec else file and dotted_name(Path(file))
    return main if name == module else None


def _find_spec(module: str, code: CodeRecord) -> ModuleSpec:
    """Where the module is; the root's class is in a file that is known for certain."""
    own = module == code.module and os.path.isfile(code.file)
    parent = _package_of(module, code.file if own else "")
    if parent:
        if own:
            _find_packages_of(code.file, parent.count(".") + 1)
        importlib.import_module(parent)
    spec = importlib.util.spec_from_file_location(module, code.file) if own else None
    if own and spec is None:
        # A script needs no ending, and may have any.
        loader = SourceFileLoader(module, code.file)
        spec = importlib.util.spec_from_file_location(module, code.file, loader=loader)
    spec = spec or importlib.util.find_spec(module)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    return spec


def _package_of(module: str, file: str) -> str:
    """The package that holds a module; a dot in the name of its file leads to none."""
    stem = Path(file).stem
    if file and (module == stem or module.endswith(f".{stem}")):
        return module[: -len(stem) - 1]
    return module.rpartition(".")[0]


def _find_packages_of(file: str, depth: int) -> None:
    """Look last where the outermost package is that encloses a file.

    A script inside a package ran without its packages; they are part of its name all the same.
    """
    folder = os.path.dirname(file)
    for _ in range(depth):
        folder = os.path.dirname(folder)
    if folder not in sys.path:
        sys.path.append(folder)


def _execute(spec: ModuleSpec) -> ModuleType:
    """Run a module as the import system does, but keep it where it entered an experiment."""
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        if spec.loader is not None:
            spec.loader.exec_module(module)
    except ImportStopped:
        pass
    except BaseException:
        sys.modules.pop(spec.name, None)
        raise
    parent, _, name = spec.name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], name, module)
    return sys.modules[spec.name]
