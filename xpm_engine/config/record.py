"""A sealed configuration as the record that is stored with its job."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from xpm_engine.config.arguments import pairs_given
from xpm_engine.config.codec import to_json
from xpm_engine.config.docs import documentation
from xpm_engine.config.fields import MISSING
from xpm_engine.config.graph import leaves
from xpm_engine.config.identifier import Hasher, fingerprint
from xpm_engine.config.naming import module_name, source_file
from xpm_engine.config.node import BEFORE, Node, State, schema_of, state_of
from xpm_engine.config.parameter import Parameter
from xpm_engine.config.paths import locate
from xpm_engine.workspace.records.params import (
    CodeRecord,
    FieldKind,
    FieldRecord,
    ObjectRecord,
    ParamsRecord,
)

_unset: dict[Parameter, FieldRecord] = {}
"""The record of a field that was not set, and reads a default shared by all objects."""

_defaults: dict[Parameter, tuple[bytes, Any]] = {}
"""The default's encoding, and its canonical JSON, or its text where it holds configurations."""


def record_of(nodes: Sequence[Node], project: str) -> ParamsRecord:
    """The record of the last of these sealed objects, and of all that it is made of."""
    rows = {id(node): row for row, node in enumerate(nodes)}
    hasher = Hasher()
    objects = tuple(_object(node, rows, hasher) for node in nodes)
    root = nodes[-1]
    cls = type(root)
    code = CodeRecord(
        module=module_name(cls),
        qualname=cls.__qualname__,
        file=source_file(cls),
        project=project,
        sys_path=tuple(sys.path),
        arguments=pairs_given(),
    )
    return ParamsRecord(root=len(nodes) - 1, objects=objects, code=code)


def _object(node: Node, rows: Mapping[int, int], hasher: Hasher) -> ObjectRecord:
    state = state_of(node)
    cls = type(node)
    schema = schema_of(node)
    docs = documentation(cls)
    producer = state.job or state.producer
    assert state.digest is not None
    assert state.resolved is not None
    return ObjectRecord(
        type_name=schema.type_name,
        module=module_name(cls),
        qualname=cls.__qualname__,
        digest=state.digest.hex(),
        resolved=state.resolved.hex(),
        fields=tuple(
            _field(node, parameter, docs.fields.get(parameter.name, ""), rows, hasher)
            for parameter in schema.parameters.values()
            if parameter.kind is not FieldKind.PATH or parameter.name in node.__dict__
        )
        + _before(state, rows, hasher),
        doc=docs.summary,
        producer=None if producer is None else producer.job,
        producer_resolved="" if producer is None else producer.resolved.hex(),
        is_task=state.job is not None,
        distinct=state.distinct,
        tags=dict(state.tags or {}),
    )


def _before(state: State, rows: Mapping[int, int], hasher: Hasher) -> tuple[FieldRecord, ...]:
    """The light tasks, as one field more."""
    if not state.before:
        return ()
    return (
        FieldRecord(
            name=BEFORE,
            kind=FieldKind.PARAM,
            value=[to_json(each, rows) for each in state.before],
            is_default=False,
            digest=hasher.digest(state.before).hex(),
            type="list[LightTask]",
            help="What runs in the task's process before it",
        ),
    )


def _field(
    node: Node, parameter: Parameter, text: str, rows: Mapping[int, int], hasher: Hasher
) -> FieldRecord:
    if parameter.kind is FieldKind.PATH:
        return FieldRecord(
            name=parameter.name,
            kind=parameter.kind,
            value={"$path": list(locate(node.__dict__[parameter.name]))},
            is_default=True,
            digest="",
            type=parameter.type_text,
            help=text,
        )
    if parameter.name not in node.__dict__:
        known = _unset.get(parameter)
        if known is None:
            value = parameter.shared_default()
            known = _unset[parameter] = _valued(parameter, text, value, rows, hasher)
        return known
    return _valued(parameter, text, node.__dict__[parameter.name], rows, hasher)


def _valued(
    parameter: Parameter, text: str, value: Any, rows: Mapping[int, int], hasher: Hasher
) -> FieldRecord:
    data = hasher.value(value)
    written = to_json(value, rows)
    default_data, default = _default(parameter)
    is_default = data == default_data
    return FieldRecord(
        name=parameter.name,
        kind=parameter.kind,
        value=written,
        is_default=is_default,
        digest=fingerprint(data).hex(),
        type=parameter.type_text,
        help=text,
        has_default=parameter.has_default,
        default=written if is_default else default,
        left_out=_left_out(parameter, data),
    )


def _default(parameter: Parameter) -> tuple[bytes, Any]:
    """Encoding and JSON of the default; no encoding where there is none."""
    known = _defaults.get(parameter)
    if known is None:
        if not parameter.has_default:
            return b"", None
        value = parameter.shared_default()
        holds = any(isinstance(item, Node) for item in leaves(value))
        known = Hasher().value(value), repr(value) if holds else to_json(value, {})
        _defaults[parameter] = known
    return known


def _left_out(parameter: Parameter, data: bytes) -> bool | None:
    """Whether a value is left out of the identifier; None: as any default is."""
    declared = parameter.declaration.identifier_default
    return None if declared is MISSING else data == Hasher().value(parameter.check(declared))
