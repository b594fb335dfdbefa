"""From a stored record to live objects: what a job does first. Never imports pydantic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from xpm_engine.config.codec import Decoder
from xpm_engine.config.containers import is_list
from xpm_engine.config.fields import MISSING
from xpm_engine.config.importing import ImportClass, importer
from xpm_engine.config.living import bring_to_life, start_parts
from xpm_engine.config.node import BEFORE, STATE, Node, Producer, State, is_config_class
from xpm_engine.config.paths import PathRoots
from xpm_engine.config.problems import Mismatch, did_you_mean
from xpm_engine.config.provenance import remember
from xpm_engine.config.schema import Schema
from xpm_engine.errors import LoadError
from xpm_engine.workspace.records.params import FieldKind, FieldRecord, ObjectRecord, ParamsRecord


def load_order(
    params: ParamsRecord, *, roots: PathRoots, import_class: ImportClass | None = None
) -> Any:
    """Rebuild the object of a record, alive: foreign ``__init__`` and ``__post_init__`` were run.

    `import_class` gives a class by module and qualified name; by default it is imported. Raises
    LoadError where a class is gone, or its parameters are no longer those that were saved.
    """
    objects: list[Node] = []
    decoder = Decoder(objects, roots, import_class or importer(params.code))
    for record in params.objects:
        objects.append(_rebuild(record, decoder))
    return objects[params.root]


def _rebuild(record: ObjectRecord, decoder: Decoder) -> Node:
    cls = decoder.import_class(record.module, record.qualname)
    if not is_config_class(cls):
        raise LoadError(f"{record.module}.{record.qualname} is no longer a Config")
    node_class = cast("type[Node]", cls)
    node = node_class.__new__(node_class)
    state = State(f"saved {record.class_name}", 0)
    node.__dict__[STATE] = state
    state.distinct = record.distinct
    state.tags = dict(record.tags) or None
    state.before = _before(record, node_class, decoder)
    bring_to_life(node, _values(record, node_class, decoder))
    _restore_identity(state, record)
    return node


def _restore_identity(state: State, record: ObjectRecord) -> None:
    try:
        state.digest = bytes.fromhex(record.digest)
        state.resolved = bytes.fromhex(record.resolved)
        if record.producer is not None:
            resolved = bytes.fromhex(record.producer_resolved)
            producer = remember(Producer(record.producer, resolved, {}))
            if record.is_task:
                state.job = producer
            else:
                state.producer = producer
    except ValueError:
        raise LoadError(f"the saved {record.class_name} has a digest that is none") from None


def _values(record: ObjectRecord, cls: type[Node], decoder: Decoder) -> dict[str, Any]:
    """The values of every field: those saved, and today's default of what was added since."""
    schema: Schema = cls._xpm_schema  # pyright: ignore[reportPrivateUsage]
    values: dict[str, Any] = {}
    for saved in record.fields:
        if _is_before(saved, cls):
            continue
        name, convert = _current_name(saved.name, schema)
        parameter = schema.parameters.get(name)
        if parameter is None:
            raise LoadError(
                f"{record.class_name} was saved with the parameter {saved.name!r}, "
                f"which the class no longer has{did_you_mean(saved.name, schema.parameters)}",
                hint="put it back, or say with deprecated() what it is called now",
            )
        try:
            value = decoder.value(saved.value)
        except RecursionError:
            raise LoadError(f"{parameter.label} is nested too deeply to be read") from None
        values[name] = _checked(schema, name, convert(value) if convert else value, saved)
    for parameter in schema.parameters.values():
        if parameter.name in values or parameter.kind is FieldKind.PATH:
            continue
        value = parameter.make_default()
        if value is MISSING:
            raise LoadError(
                f"{parameter.label} has no default, and was not saved",
                hint="give the new parameter a default",
            )
        start_parts(value)
        values[parameter.name] = value
    return values


def _is_before(saved: FieldRecord, cls: type[Node]) -> bool:
    return saved.name == BEFORE and cls._xpm_is_task  # pyright: ignore[reportPrivateUsage]


def _before(record: ObjectRecord, cls: type[Node], decoder: Decoder) -> tuple[Node, ...]:
    """The light tasks that run before the task."""
    for saved in record.fields:
        if _is_before(saved, cls):
            lights: object = decoder.value(saved.value)
            if is_list(lights) and all(isinstance(each, Node) for each in lights):
                return tuple(lights)
            raise LoadError(f"the saved light tasks of {record.class_name} are none")
    return ()


def _checked(schema: Schema, name: str, value: Any, saved: FieldRecord) -> Any:
    parameter = schema.parameters[name]
    if saved.kind is FieldKind.PATH:
        return value
    try:
        return parameter.check_stored(value)
    except Mismatch as mismatch:
        raise LoadError(
            f"{parameter.label}{mismatch.path} was saved as {saved.type}, and is now: {mismatch}",
            hint="give the parameter its former type, or say with deprecated() how to convert it",
        ) from None


def _current_name(name: str, schema: Schema) -> tuple[str, Callable[[Any], Any] | None]:
    """What a saved parameter is called today, and how its value is converted."""
    if name not in schema.parameters:
        for parameter in schema.parameters.values():
            former = parameter.declaration.deprecated
            if former is not None and former.name == name:
                return parameter.name, former.to_current
    return name, None
