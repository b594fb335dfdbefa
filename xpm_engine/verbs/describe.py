"""What is known of a class of configurations; the one explaining verb that imports user code."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from xpm_engine.config.docs import ClassDescription
from xpm_engine.config.docs import describe as describe_class
from xpm_engine.config.importing import import_class, import_module, use_code
from xpm_engine.config.naming import dotted_name, type_name
from xpm_engine.config.node import Node, is_config_class
from xpm_engine.errors import LoadError, UsageError, XpmError
from xpm_engine.tracebacks import in_words, users_frames
from xpm_engine.verbs.earlier import read_params
from xpm_engine.workspace.layout import (
    JobKey,
    WorkspacePaths,
    absolute,
    is_identifier,
    is_task_folder,
    list_folders,
    task_folder,
)
from xpm_engine.workspace.records.params import CodeRecord


def describe(text: str, *, workspace: WorkspacePaths | None = None) -> ClassDescription:
    """Documentation, parameters, defaults and types of the class that `text` means.

    `text` is ``plan.py:Class``, ``module:Class`` or ``module.Class``; in the place of the class's
    name its TASK-ID will do, also alone if the workspace has a job of it. The module is imported;
    a plan's is read up to its experiment. Raises UsageError, LoadError.
    """
    return describe_class(find_class(text, workspace=workspace))


def find_class(text: str, *, workspace: WorkspacePaths | None = None) -> type[Node]:
    """The class that `text` means, as `describe` says."""
    source, colon, name = text.rpartition(":")
    if colon and source.endswith(".py"):
        return _in_module(_import(_script(source)), name)
    if colon:
        return _in_module(_import(_code(source)), name)
    code = None if workspace is None else _code_of_task(workspace, text)
    if code is not None:
        try:
            use_code(code)
            return _checked(import_class(code.module, code.qualname, code), text)
        except XpmError:
            raise
        except Exception as error:
            raise _raised(error, code) from error
    module, rest = _split(text)
    return _in_module(_import(_code(module)), rest)


def _script(path: str) -> CodeRecord:
    """A plan's file, to be imported under the name that its jobs import it by."""
    file = Path(path).absolute()
    if not file.is_file():
        raise UsageError("there is no such file", where=str(file), hint="give plan.py:Class")
    name = dotted_name(file)
    top = file.parents[name.count(".")]
    return CodeRecord(name, "", str(file), str(file.parent), (str(file.parent), str(top)))


def _code(module: str) -> CodeRecord:
    here = absolute(".")
    return CodeRecord(module, "", "", here, (here,))


def _code_of_task(workspace: WorkspacePaths, task: str) -> CodeRecord | None:
    """Where the class of a task is, as a job of it says; None if there is none to be read."""
    if not is_task_folder(task):
        return None
    for name in list_folders(f"{workspace.jobs}/{task}"):
        if is_identifier(name):
            params = read_params(workspace, JobKey(task, name))
            if params is not None:
                return params.code
    return None


def _split(text: str) -> tuple[str, str]:
    """``package.module.Class`` as the longest module that there is, and the rest."""
    here = absolute(".")
    if here not in sys.path:
        sys.path.insert(0, here)
    parts = text.split(".")
    for count in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:count])
        try:
            found = importlib.util.find_spec(module) is not None
        except (ImportError, ValueError, AttributeError):
            found = False
        if found:
            return module, ".".join(parts[count:])
    raise UsageError(
        f"{text!r} names no class",
        hint="give plan.py:Class, module:Class or module.Class; or a TASK-ID of the workspace",
    )


def _import(code: CodeRecord) -> Any:
    """The module, read up to the experiment in it; what it raises is told with its line."""
    use_code(code)
    try:
        return import_module(code.module, code)
    except XpmError:
        raise
    except ImportError as error:
        raise LoadError(
            f"the module {code.module} can't be imported: {error}",
            where=code.file or None,
            hint="is it installed, or in the working directory?",
        ) from error
    except Exception as error:
        raise _raised(error, code) from error


def _raised(error: Exception, code: CodeRecord) -> LoadError:
    frames = users_frames(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else code.file or None
    return LoadError(f"importing {code.module} raised {in_words(error)}", where=where)


def _in_module(module: Any, name: str) -> type[Node]:
    """A class of a module by its name, or by its TASK-ID."""
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not None and found is not module:
        return _checked(found, name)
    classes = {cls.__qualname__: cls for cls in _classes(module)}
    wanted = {name.lower(), f"{module.__name__}.{name}".lower()}
    for cls in classes.values():
        if task_folder(type_name(cls)) in wanted:
            return cls
    close = get_close_matches(name, classes, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(classes) or 'none'}"
    raise UsageError(
        f"{module.__name__} has no class of configurations {name!r}",
        where=getattr(module, "__file__", None),
        hint=hint,
    )


def _classes(module: Any) -> Iterator[type[Node]]:
    """The classes of configurations that a module holds, its own and those it imported."""
    names: dict[str, Any] = module.__dict__
    for value in list(names.values()):
        if is_config_class(value):
            cls = cast("type[Node]", value)
            if not cls.__module__.startswith("xpm_engine.config."):
                yield cls


def _checked(found: object, name: str) -> type[Node]:
    if is_config_class(found):
        return cast("type[Node]", found)
    raise UsageError(
        f"{name} is no class of configurations", hint="describe shows what derives from Config"
    )
