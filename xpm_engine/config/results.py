"""What a task returns and its plan gets: plain data, kept as JSON in the job's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from xpm_engine.config.codec import Decoder, to_json
from xpm_engine.config.containers import is_dict, is_list, is_set, is_tuple
from xpm_engine.config.importing import import_module
from xpm_engine.config.node import Node, state_of
from xpm_engine.config.paths import PathRoots, job_of, using_roots
from xpm_engine.config.scalars import exact
from xpm_engine.errors import ConfigError, LoadError, UnreadableError
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_engine.workspace.records.params import CodeRecord
from xpm_engine.workspace.records.results import ResultRecord

_NO_CODE = CodeRecord("", "", "", "")


def result_record(value: object, attempt: int) -> ResultRecord:
    """What `execute` returned, as it is kept; what is no plain data is told, and not kept."""
    try:
        return ResultRecord(attempt, to_json(_plain(value), {}))
    except (ConfigError, RecursionError) as error:
        text = "is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return ResultRecord(attempt, None, unfit=text)


def read_result(job: JobPaths, roots: PathRoots) -> Any:
    """What a job's `execute` returned; None where it returned nothing.

    Raises LoadError for what could not be kept, or can't be read back.
    """
    try:
        record = ResultRecord.from_json(read_object(job.result), job.result)
    except FileNotFoundError:
        return None
    except UnreadableError as error:
        raise LoadError(error.what, where=error.where) from None
    if record.unfit is not None:
        raise LoadError(
            f"what execute() returned was not kept: {record.unfit}",
            where=job.root,
            hint="return numbers, texts, lists, dicts and paths; write the rest into files",
        )
    return Decoder([], roots, _import_class).value(record.value)


def jobs_of(made: object, roots: PathRoots) -> tuple[JobKey, ...]:
    """The jobs that a task, what it handed on, or a path in its folder stands for, each once."""
    with using_roots(roots):
        return tuple(dict.fromkeys(_jobs(made)))


def _jobs(made: object) -> Iterator[JobKey]:
    if is_list(made) or is_tuple(made) or is_set(made):
        for item in made:
            yield from _jobs(item)
    elif is_dict(made):
        yield from _jobs(list(made.values()))
    elif isinstance(made, JobKey):
        yield made
    elif isinstance(made, Path):
        job = job_of(made)
        if job is not None:
            yield job
    elif isinstance(made, Node):
        state = state_of(made)
        producer = state.job or state.producer
        if producer is not None:
            yield producer.job


def _plain(value: object) -> object:
    """Numpy scalars as built-ins, at any depth; raises ConfigError for a configuration."""
    if isinstance(value, Node):
        raise ConfigError(
            f"a {type(value).__name__} is no plain data: hand it on with output(), or save() it"
        )
    if is_list(value):
        return [_plain(item) for item in value]
    if is_tuple(value):
        return tuple(_plain(item) for item in value)
    if is_set(value):
        return {_plain(item) for item in value}
    if is_dict(value):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return exact(value)


def _import_class(module: str, qualname: str) -> type:
    found: object = import_module(module, _NO_CODE)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise LoadError(f"{module} has no class {qualname} any more")
    return found
