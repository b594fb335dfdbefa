"""Which settings there are, and which values each may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, cast

from xpm_engine.errors import BadNameError, SettingsError, UsageError
from xpm_engine.workspace.layout import XPM, check_name
from xpm_engine.workspace.records.resources import parse_duration, parse_size
from xpm_engine.workspace.settings import hosts
from xpm_engine.workspace.settings.schema import Best, OnDrift
from xpm_engine.workspace.settings.values import flag, from_one, from_zero

_KNOWN: Mapping[str, tuple[str, ...]] = {
    "drift": ("policy",),
    "launchers.local": ("cores", "memory", "gpus"),
    "retention": ("trash_days", "trash_size", "keep_runs", "pack_logs", "after_run"),
    "retention.keep_best": (),
    "retention.drop_files": (),
    "resources": ("cpus", "memory", "gpus", "time"),
    "tokens": (),
    **hosts.TABLES,
}
"""Table -> its keys; a table without any has the user's own, and a star stands for any name."""


def _shape(table: str) -> str:
    """The table as `_KNOWN` has it: with a star for a name that is the user's own."""
    parts = table.split(".")
    if len(parts) > 1 and table not in _KNOWN and parts[0] in ("hosts", "launchers"):
        parts[1] = "*"
    return ".".join(parts)


def is_table(path: str, value: Mapping[str, Any]) -> bool:
    """Whether there is a table of this path, which holds settings or other tables."""
    shape = _shape(path)
    if shape == "launchers.*" and "hosts" not in value:
        # Not a pool of the user's: a known launcher, misspelled.
        return False
    return any(name == shape or name.startswith(shape + ".") for name in _KNOWN)


def check_known(table: str, key: str, where: str) -> None:
    """Raise SettingsError for a setting that there is not."""
    shape = _shape(table)
    if table == "tokens":
        _check_token(key, where)
    if table == "tokens" or shape in hosts.OWN_KEYS:
        return
    if table in _OF_TASKS:
        return
    if shape != table:
        _check_named(table.split(".")[1], where)
    known = list(_KNOWN.get(shape, ()))
    if key in known:
        return
    depth = f"{shape}." if table else ""
    known += sorted(
        {name.removeprefix(depth).split(".")[0] for name in _KNOWN if name.startswith(depth)}
        - {"*"}
    )
    near = get_close_matches(key, known, n=1)
    place = f"[{table}] has no setting" if table else "there is no setting or table"
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    raise SettingsError(f"{place} {key!r}", where=where, hint=hint)


def _check_token(name: str, where: str) -> None:
    _check_named(name, where, what="token")


def _check_named(name: str, where: str, *, what: str = "host or launcher") -> None:
    try:
        check_name(name, what=what)
    except BadNameError as error:
        raise SettingsError(error.what, where=where, hint=error.hint) from None


def checked(table: str, key: str, value: Any, where: str) -> Any:
    """The value in the type of its field; raises SettingsError."""
    if (table, key) == ("drift", "policy"):
        try:
            return OnDrift(value)
        except ValueError:
            choices = ", ".join(f'"{choice.value}"' for choice in OnDrift)
            raise SettingsError(
                f"[drift] policy is {value!r}", where=where, hint=f"one of {choices}"
            ) from None
    shape = _shape(table)
    reader = _OF_TASKS.get(table) or _READERS.get(
        (shape, "" if shape in hosts.OWN_KEYS else key), from_one
    )
    try:
        return reader(value)
    except UsageError as error:
        raise SettingsError(
            f"[{table}] {key}: {error.what}", where=where, hint=error.hint
        ) from None


def _best(value: object) -> Best:
    hint = 'for instance: "ir.learn" = {metric = "mrr", keep = 3}; the task in quotes'
    if not isinstance(value, dict):
        raise UsageError(f"{value!r} is no table", hint=hint)
    fields = cast("dict[str, Any]", value)
    unknown = sorted(fields.keys() - {"metric", "keep", "lowest"})
    if unknown:
        raise UsageError(f"there is no setting {unknown[0]!r}", hint=hint)
    metric, lowest = fields.get("metric"), fields.get("lowest", False)
    if not isinstance(metric, str) or not metric or not isinstance(lowest, bool):
        raise UsageError("metric is a text, lowest is true or false", hint=hint)
    return Best(metric, from_one(fields.get("keep")), lowest)


def _patterns(value: object) -> tuple[str, ...]:
    hint = 'for instance: "ir.learn" = ["checkpoints/*.pt", "*.tmp"]; the task in quotes'
    if not isinstance(value, list):
        raise UsageError(f"{value!r} is no list of patterns", hint=hint)
    for item in cast("list[object]", value):
        parts = item.split("/") if isinstance(item, str) else [""]
        if not all(parts) or ".." in parts or XPM in parts:
            raise UsageError(
                f"{item!r} is no pattern",
                hint=f"a path in the job's folder, without .. and {XPM}; {hint}",
            )
    return tuple(cast("list[str]", value))


_OF_TASKS: Mapping[str, Callable[[Any], object]] = {
    "retention.keep_best": _best,
    "retention.drop_files": _patterns,
}
"""Tables whose keys are names of tasks, and how their values are read."""

_READERS: Mapping[tuple[str, str], Callable[[Any], object]] = {
    ("launchers.local", "memory"): parse_size,
    ("launchers.local", "gpus"): from_zero,
    ("retention", "trash_days"): from_zero,
    ("retention", "trash_size"): parse_size,
    ("retention", "pack_logs"): parse_size,
    ("retention", "after_run"): flag,
    ("resources", "cpus"): from_zero,
    ("resources", "memory"): parse_size,
    ("resources", "gpus"): from_zero,
    ("resources", "time"): parse_duration,
    **hosts.READERS,
}
"""What is no whole number from 1 on."""
