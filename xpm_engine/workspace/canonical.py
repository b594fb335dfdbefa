"""Looking into canonical values: which rows, members and jobs a piece of their JSON names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeGuard

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.params import references, short_text

_JOB = "job:"


def row_of(value: object) -> int | None:
    """The row that a value refers to; None for what is no reference."""
    row = _tagged(value, "$config")
    return row if type(row) is int else None


def refers(value: object) -> bool:
    """Whether a value holds a configuration, at any depth."""
    return any(True for _ in references(value))


def members_of(value: object) -> dict[str, Any] | None:
    """Name -> member of a list, tuple, set or dict; None for anything else.

    A list's members are named by their index; a set's too, in the order of their digests.
    """
    pairs = _tagged(value, "$dict")
    if is_list(pairs):
        found = {short_text(pair[0]): pair[1] for pair in pairs if is_list(pair) and len(pair) > 1}
        return found if len(found) == len(pairs) else None
    for items in (value, _tagged(value, "$tuple"), _tagged(value, "$set")):
        if is_list(items):
            return {str(index): item for index, item in enumerate(items)}
    return None


def place_of(value: object) -> tuple[JobKey, str] | None:
    """The job and the file of a path in a job's folder; None for anything else."""
    located = _tagged(value, "$path")
    if not is_list(located) or len(located) != 2:
        return None
    root, relative = located
    if not isinstance(root, str) or not root.startswith(_JOB):
        return None
    try:
        return JobKey.parse(root[len(_JOB) :]), str(relative)
    except ValueError:
        return None


def jobs_of(value: object) -> Iterator[JobKey]:
    """The jobs in whose folders the paths of a value are."""
    stack = [value]
    while stack:
        item = stack.pop()
        place = place_of(item)
        if place is not None:
            yield place[0]
        elif is_list(item):
            stack.extend(item)
        elif is_object(item):
            stack.extend(item.values())


def exact_text(value: object, *, limit: int = 60) -> str:
    """A value with its type told, where `short_text` shows two of them alike: ``"1"`` and ``1``."""
    try:
        text = json.dumps(value)
    except (ValueError, RecursionError):
        text = "…"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _tagged(value: object, tag: str) -> object:
    """What stands under a ``$`` tag; None where the value has another or none."""
    return value.get(tag) if is_object(value) and len(value) == 1 else None


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a piece of JSON is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a piece of JSON is a list."""
    return isinstance(value, list)
