"""From a sealed task to the order that the plan carries out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpm_engine.config.graph import place_of, postorder
from xpm_engine.config.identifier import partial_digest
from xpm_engine.config.light import check_shared
from xpm_engine.config.naming import check_importable, task_name
from xpm_engine.config.node import Node, Producer, Scalar, schema_of, state_of
from xpm_engine.config.paths import PathRoots, using_roots
from xpm_engine.config.provenance import producers, remember
from xpm_engine.config.seal import seal
from xpm_engine.errors import ParameterError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import CodeRecord, ParamsRecord

if TYPE_CHECKING:
    from xpm_engine.config.task import Task

_importable: set[type] = set()
"""Classes that were found importable."""


@dataclass(frozen=True)
class SharedFolder:
    """A folder that the jobs of one partial identifier share, one running at a time."""

    task: str
    name: str
    """The parameter whose path it is."""
    identifier: str
    """The partial identifier, 32 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Order:
    """All that the plan needs of a sealed task.

    What only a launch or a manifest needs is made when it is asked for, and not kept: a plan may
    have a hundred thousand jobs.
    """

    key: JobKey
    resolved: str
    """The resolved digest, 32 hexadecimal digits."""
    tags: dict[str, Scalar | list[Scalar]]
    """Its own tags and those of everything it is made from; several values of one key: a list."""
    dependencies: tuple[JobKey, ...]
    """The jobs whose outputs, paths or selves it holds, at any depth."""
    shared: tuple[SharedFolder, ...]
    early: tuple[str, ...] = field(default=(), kw_only=True)
    """``task/identifier/path``: files of other jobs that are there, for which it does not wait."""
    roots: PathRoots = field(repr=False)
    nodes: tuple[Node, ...] = field(repr=False, compare=False)
    """The task and all that it is made of, parts first."""

    @property
    def task(self) -> str:
        """The TASK-ID."""
        return self.key.task

    @property
    def identifier(self) -> str:
        """32 hexadecimal digits."""
        return self.key.identifier

    @property
    def resumable(self) -> bool:
        """Whether a later attempt goes on with the files of an earlier one."""
        return type(self.nodes[-1])._xpm_is_resumable  # pyright: ignore[reportPrivateUsage]

    @property
    def params(self) -> ParamsRecord:
        """What goes in N.launch and params.json; made anew each time: a plan has many orders."""
        from xpm_engine.config.record import record_of

        with using_roots(self.roots):
            return record_of(self.nodes, self.roots.project)

    @property
    def flat(self) -> dict[str, Any]:
        """The parameters that are not at their default, flattened by dotted path."""
        from xpm_engine.config.flat import flat_of

        with using_roots(self.roots):
            return flat_of(self.nodes)

    @property
    def code(self) -> CodeRecord:
        """Where the task's class is."""
        return self.params.code


def order_of(task: Task[Any], roots: PathRoots) -> Order:
    """Seal a task, if it is not, and say all that running it takes.

    Raises ParameterError for what is missing, invalid or not submitted, CycleError, and
    DefinitionError for a class that no job could import.
    """
    with using_roots(roots):
        nodes = postorder(task)
        state = state_of(task)
        if state.digest is None:
            _check_parts(task, nodes)
            if state.before:
                check_shared(task)
            seal(task, nodes)
        digest, resolved = state.digest, state.resolved
        assert digest is not None
        assert resolved is not None
        key = JobKey(task_name(type(task)), digest.hex())
        shared = place_paths(task, key, roots)
        upstream = producers(nodes)
        upstream.pop(key, None)
        tags = _tags(nodes, [producer for producer in upstream.values() if producer])
        state.job = remember(Producer(key, resolved, tags))
        return Order(
            key=key,
            resolved=resolved.hex(),
            tags={k: v[0] if len(v) == 1 else list(v) for k, v in tags.items()},
            dependencies=tuple(upstream),
            shared=shared,
            roots=roots,
            nodes=tuple(nodes),
        )


def _check_parts(task: Node, nodes: Sequence[Node]) -> None:
    for node in nodes:
        cls = type(node)
        if cls not in _importable:
            check_importable(cls)
            _importable.add(cls)
        state = state_of(node)
        is_submitted = state.job is not None or state.producer is not None
        if cls._xpm_is_task and node is not task and not is_submitted:  # pyright: ignore[reportPrivateUsage]
            holder = next(each for each in nodes if place_of(each, node))
            raise ParameterError(
                f"{type(holder).__name__}.{place_of(holder, node)}: "
                f"the task {cls.__name__} was not submitted",
                where=state.where,
                hint="give what its submit() returns",
            )


def place_paths(task: Node, key: JobKey, roots: PathRoots) -> tuple[SharedFolder, ...]:
    """Set the generated paths, inside the folder of the job `key` or a shared one.

    `key` is the task's own job, or the one under a former name whose result it has adopted.
    """
    shared: list[SharedFolder] = []
    for parameter in schema_of(task).paths:
        path = parameter.path
        assert path is not None
        workspace = roots.workspace
        if workspace is None:
            continue
        folder = workspace.job(key).root
        if path.without:
            partial = SharedFolder(
                key.task, parameter.name, partial_digest(task, path.without).hex()
            )
            folder = workspace.partial(partial.task, partial.name, partial.identifier)
            shared.append(partial)
        task.__dict__[parameter.name] = Path(f"{folder}/{path.name}")
    return tuple(shared)


def _tags(nodes: Sequence[Node], upstream: Iterable[Producer]) -> Mapping[str, tuple[Scalar, ...]]:
    """Every tag with its values: the task's own first, others in the order of the plan."""
    found: dict[str, tuple[Scalar, ...]] = {}

    def add(key: str, value: Scalar) -> None:
        values = found.get(key, ())
        if not any(type(each) is type(value) and each == value for each in values):
            found[key] = (*values, value)

    for node in (nodes[-1], *nodes):
        for key, value in (state_of(node).tags or {}).items():
            add(key, value)
    for producer in upstream:
        for key, values in producer.tags.items():
            for value in values:
                add(key, value)
    return found
