"""The parameters of a job as a person pastes them elsewhere: JSON, or Python that makes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from xpm_engine.workspace.records.flat import is_list, is_object
from xpm_engine.workspace.records.params import FieldKind, ObjectRecord, ParamsRecord

SETTABLE = (FieldKind.PARAM, FieldKind.OPTION)
STEP = "    "


def json_text(record: ParamsRecord) -> str:
    """All parameters and options, those at their default too, nested as the configurations are.

    What JSON lacks is written as in params.json (``{"$path": …}``); a configuration is an object
    with its class's name under ``$class``.
    """
    return json.dumps(_json(record, {"$config": record.root}), indent=2, ensure_ascii=False)


def python_text(record: ParamsRecord) -> str:
    """A call that makes the configuration; what is at its default is left out.

    An object that a job made is called with its parameters too; the comment names the job. Module
    names are left to the reader's imports.
    """
    return _object(record, record.root, "")


def _json(record: ParamsRecord, value: Any) -> Any:
    if is_list(value):
        return [_json(record, item) for item in value]
    if not is_object(value):
        return value
    if "$config" not in value:
        return {name: _json(record, item) for name, item in value.items()}
    row: int = value["$config"]
    thing = record.objects[row]
    made: dict[str, Any] = {"$class": f"{thing.module}.{thing.qualname}"}
    if thing.producer is not None and row != record.root:
        made["$job"] = str(thing.producer)
    for part in thing.fields:
        if part.kind in SETTABLE:
            made[part.name] = _json(record, part.value)
    return made


def _object(record: ParamsRecord, row: int, indent: str) -> str:
    thing = record.objects[row]
    inner = indent + STEP
    fields = [
        f"{part.name}={_value(record, part.value, inner)}"
        for part in thing.fields
        if part.kind in SETTABLE and not part.is_default
    ]
    name = thing.qualname
    comment = _comment(thing) if row != record.root else ""
    if not fields:
        return f"{name}()"
    if not comment and len(fields) == 1 and "\n" not in fields[0]:
        return f"{name}({fields[0]})"
    lines = [f"{name}({comment}", *(f"{inner}{field}," for field in fields), f"{indent})"]
    return "\n".join(lines)


def _comment(thing: ObjectRecord) -> str:
    return "" if thing.producer is None else f"  # of job {thing.producer.short}"


def _value(record: ParamsRecord, value: Any, indent: str) -> str:
    if is_list(value):
        return f"[{_items(record, value, indent)}]"
    if not is_object(value) or len(value) != 1:
        return repr(value)
    ((tag, inner),) = value.items()
    if tag == "$config":
        return _object(record, inner, indent)
    if tag == "$tuple":
        items = _items(record, inner, indent)
        return f"({items},)" if len(inner) == 1 else f"({items})"
    if tag == "$set":
        return f"{{{_items(record, inner, indent)}}}" if inner else "set()"
    if tag == "$dict":
        pairs = (
            f"{_value(record, key, indent)}: {_value(record, item, indent)}" for key, item in inner
        )
        return f"{{{', '.join(pairs)}}}"
    spelled = _SCALARS.get(tag)
    return repr(value) if spelled is None else spelled(inner)


def _items(record: ParamsRecord, items: list[Any], indent: str) -> str:
    return ", ".join(_value(record, item, indent) for item in items)


def _time(inner: Any) -> str:
    kind, text = inner
    if kind == "timedelta":
        return f"timedelta(microseconds={text})"
    return f"{kind}.fromisoformat({text!r})"


_SCALARS: Mapping[str, Callable[[Any], str]] = {
    "$path": lambda inner: f"Path({inner[1]!r})",
    "$int": str,
    "$float": lambda inner: f"float({inner!r})",
    "$enum": lambda inner: f"{inner[1]}.{inner[2]}",
    "$time": _time,
    "$value": lambda inner: f"{str(inner[0]).rpartition('.')[2]}({inner[1]!r})",
}
