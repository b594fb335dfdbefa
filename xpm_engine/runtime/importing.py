"""Importing a user's classes in a job's process, from a module or from a plan's script."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from xpm_engine.config.reading import ImportStopped, reading
from xpm_engine.errors import LoadError
from xpm_engine.workspace.records.params import CodeRecord


def use_code(code: CodeRecord) -> None:
    """Let this process find modules where the plan's process found them.

    The plan's own places come first and in its order; what this process had stays behind them.
    """
    ours = [path for path in sys.path if path not in code.sys_path]
    sys.path[:] = [*code.sys_path, *ours]
    importlib.invalidate_caches()


def import_class(module: str, qualname: str, code: CodeRecord) -> type:
    """The class `qualname` of `module`.

    The plan's own file is imported as that module; where it enters an experiment its import
    stops, and the classes defined above are kept. Raises LoadError where the module does not
    import or the class is gone.
    """
    try:
        found: object = import_module(module, code)
    except ImportError as error:
        raise LoadError(
            f"the module {module} can't be imported: {error}",
            where=code.file or None,
            hint="is it installed, or beside the plan, on the machine that runs the job?",
        ) from error
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise LoadError(
            f"{module} has no class {qualname}",
            where=code.file or None,
            hint="was it renamed or moved since? Classes must stand above `with experiment(...)`",
        )
    return found


def import_module(module: str, code: CodeRecord) -> ModuleType:
    """A module by name, the plan's own by its file, read up to where it enters an experiment.

    Raises ImportError, and whatever the module raises.
    """
    known = sys.modules.get(module)
    if known is not None:
        return known
    with reading():
        return _execute(_find_spec(module, code))


def _find_spec(module: str, code: CodeRecord) -> ModuleSpec:
    """Where the module is; the root's class is in a file that is known for certain."""
    parent = module.rpartition(".")[0]
    if parent:
        importlib.import_module(parent)
    spec = None
    if module == code.module and code.file:
        spec = importlib.util.spec_from_file_location(module, code.file)
    spec = spec or importlib.util.find_spec(module)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    return spec


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
    if parent:
        setattr(sys.modules[parent], name, module)
    return sys.modules[spec.name]
