"""Which job made what: the jobs that this process submitted, or loaded results of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from xpm_engine.config.graph import leaves
from xpm_engine.config.node import Node, Producer, schema_of, state_of
from xpm_engine.config.paths import job_of
from xpm_engine.config.scalars import CONCRETE_PATH, IMMUTABLE
from xpm_engine.workspace.layout import JobKey

_known: dict[JobKey, Producer] = {}


def remember(producer: Producer) -> Producer:
    """Keep what is known of a job, for paths that only name its folder."""
    _known[producer.job] = producer
    return producer


def known_producer(job: JobKey) -> Producer | None:
    """What this process knows of a job."""
    return _known.get(job)


def producers(nodes: Iterable[Node]) -> dict[JobKey, Producer | None]:
    """The jobs that these objects come from, in order: as an output, a task, or by a path.

    A job that is only named by a path, and unknown to this process, has None.
    """
    found: dict[JobKey, Producer | None] = {}
    for node in nodes:
        state = state_of(node)
        for producer in (state.job, state.producer):
            if producer is not None:
                found.setdefault(producer.job, producer)
        for job in _path_jobs(node):
            found.setdefault(job, known_producer(job))
    return found


def held_paths(nodes: Iterable[Node], job: JobKey) -> list[Path] | None:
    """The paths in a job's folder that these objects hold; None if they hold it in other ways."""
    found: list[Path] = []
    for node in nodes:
        state = state_of(node)
        if any(made is not None and made.job == job for made in (state.job, state.producer)):
            return None
        found += [path for path in _paths(node) if job_of(path) == job]
    return found


def _path_jobs(node: Node) -> Iterable[JobKey]:
    for path in _paths(node):
        job = job_of(path)
        if job is not None:
            yield job


def _paths(node: Node) -> Iterable[Path]:
    values = node.__dict__
    for name in schema_of(node).settable:
        value: object = values.get(name)
        if isinstance(value, Node):
            continue
        if type(value) is CONCRETE_PATH or type(value) not in IMMUTABLE:
            for item in leaves(value):
                if isinstance(item, Path):
                    yield item
