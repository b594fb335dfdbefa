"""Saving a configuration in a file, and getting it back; also from a job's folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar, cast

from xpm_engine.config.filling import deep_copy
from xpm_engine.config.graph import postorder
from xpm_engine.config.importing import import_class
from xpm_engine.config.load import load_order
from xpm_engine.config.node import Node, schema_of, state_of
from xpm_engine.config.paths import PathRoots, using_roots
from xpm_engine.config.problems import caller, describe
from xpm_engine.config.record import record_of
from xpm_engine.config.seal import seal
from xpm_engine.config.submitting import current_submitter
from xpm_engine.errors import LoadError, UsageError
from xpm_engine.workspace.aliases import resolve
from xpm_engine.workspace.atomic import dumps, read_object, write_atomic
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths, is_identifier, workspace_of_job
from xpm_engine.workspace.records.params import ParamsRecord

C = TypeVar("C", bound=Node)


def save(config: Node, path: str | os.PathLike[str]) -> None:
    """Write a configuration with all that it is made of, as JSON; it stays open to changes.

    Raises ParameterError if a parameter is missing, StorageError if the file can't be written.
    """
    roots = _roots(None, os.getcwd())
    with using_roots(roots if roots.workspace else None):
        nodes = _sealed(config)
        record = record_of(nodes, roots.project)
    write_atomic(os.path.abspath(os.fspath(path)), dumps(record.to_json()))


def load(path: str | os.PathLike[str], *, workspace: str | os.PathLike[str] | None = None) -> Any:
    """Read a saved configuration, or that of a job by the job's folder; it is alive.

    What it was made of, and the job it comes from, are known: it can be a parameter of other
    tasks. `workspace` is where paths in job folders are, unless the path tells. Raises
    UnreadableError for a damaged file, LoadError where the classes have changed.
    """
    file: str = os.path.abspath(path)
    folder: str | None = None
    if os.path.isdir(file):
        folder = file
        file = _params_of(folder)
        if not is_identifier(os.path.basename(folder)):
            raise LoadError(
                f"{folder} is no job's folder", where=caller(), hint="give jobs/TASK-ID/IDENTIFIER"
            )
    try:
        record = ParamsRecord.from_json(read_object(file), file)
    except FileNotFoundError:
        raise LoadError(f"{file} does not exist", where=caller()) from None
    if workspace is None and folder is not None:
        workspace = workspace_of_job(folder).root
    roots = _roots(workspace, record.code.project)
    with using_roots(roots if roots.workspace else None):
        return load_order(record, roots=roots)


def _params_of(folder: str) -> str:
    """The parameters of a job; of one that has adopted a result, those it was made with."""
    workspace = workspace_of_job(folder)
    key = workspace.key_of(folder)
    return (JobPaths(folder) if key is None else workspace.job(resolve(workspace, key))).params


def live(config: C, *, folder: str | os.PathLike[str] = ".") -> C:
    """A living copy, as a job would get it: for tests and notebooks.

    Foreign ``__init__`` and ``__post_init__`` are run; a task's generated paths are in `folder`.
    """
    nodes = _sealed(config)
    for parameter in schema_of(nodes[-1]).paths:
        if parameter.path is not None:
            nodes[-1].__dict__.setdefault(
                parameter.name, Path(folder).absolute() / parameter.path.name
            )
    roots = _roots(None, os.getcwd())
    classes = {(module, cls.__qualname__): cls for cls, module in _classes(nodes)}
    with using_roots(roots if roots.workspace else None):
        record = record_of(nodes, roots.project)

        def find(module: str, qualname: str) -> type:
            return classes.get((module, qualname)) or import_class(module, qualname, record.code)

        return cast("C", load_order(record, roots=roots, import_class=find))


def _classes(nodes: list[Node]) -> list[tuple[type, str]]:
    from xpm_engine.config.naming import module_name

    return [(type(node), module_name(type(node))) for node in nodes]


def _sealed(config: object) -> list[Node]:
    """The object, or a sealed copy of an open one, with its parts before it."""
    if not isinstance(config, Node):
        raise UsageError(f"{describe(config)} is no configuration", where=caller())
    copy = deep_copy(config, {})
    nodes = postorder(copy)
    if state_of(copy).digest is None:
        seal(copy, nodes)
    return nodes


def _roots(workspace: str | os.PathLike[str] | None, project: str) -> PathRoots:
    submitter = current_submitter.get()
    if workspace is not None:
        return PathRoots(WorkspacePaths.at(workspace), project)
    if submitter is not None:
        return submitter.roots
    return PathRoots(None, project)
