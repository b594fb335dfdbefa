"""Settings: one frozen schema, read from the workspace's ``xpm.toml`` and the user's own file.

A call beats the command line beats the workspace's file beats the user's file beats the defaults.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, cast

from xpm_engine.errors import BadNameError, SettingsError, UsageError
from xpm_engine.workspace import hosts
from xpm_engine.workspace.hosts import CodeSettings, HostSettings
from xpm_engine.workspace.layout import SETTINGS, XPM, WorkspacePaths, check_name
from xpm_engine.workspace.records.resources import Resources, parse_duration, parse_size
from xpm_engine.workspace.user_folders import users_settings

APP_NAME = "xpm"
"""The folder of the user's own settings and caches."""


DEFAULT_RESOURCES = Resources()
"""What a job needs where nothing is said: one core."""


class OnDrift(StrEnum):
    """What is done about a result that was made with other defaults than today's."""

    ERROR = "error"
    """Say so, and run nothing in its place."""
    RERUN = "rerun"
    """Move it to the trash, and run it again."""
    ACCEPT = "accept"
    """Use it as it is."""


@dataclass(frozen=True)
class DriftSettings:
    """``[drift]``"""

    policy: OnDrift = OnDrift.ERROR


@dataclass(frozen=True)
class LocalSettings:
    """``[launchers.local]``"""

    cores: int | None = None
    """How many single-core jobs run at a time on this machine; None: as many as it has cores."""
    memory: int | None = None
    """Bytes that its jobs may ask for together; None: all that it has."""
    gpus: int | None = None
    """How many GPUs they may use; None: all that it has."""


@dataclass(frozen=True)
class Best:
    """Which results of a task are the best: ``{metric = "mrr", keep = 3, lowest = false}``."""

    metric: str
    keep: int
    lowest: bool = False
    """Whether a low value is a good one."""


@dataclass(frozen=True)
class RetentionSettings:
    """``[retention]``; all but the trash's limits are policies, carried out only when asked for.

    They are so by ``xpm clean --policy``, or after each run where `after_run` says so.
    """

    trash_days: int = 14
    """Days that a clean can be undone; the next clean after that purges it. 0: for ever."""
    trash_size: int | None = None
    """Bytes that the trash may hold: beyond that the oldest cleans are purged; None: any."""
    keep_runs: int | None = None
    """Of each plan and its arguments the last runs that stay; None: all."""
    keep_best: Mapping[str, Best] = field(default_factory=dict[str, Best])
    """``[retention.keep_best]``: task -> which of its results stay."""
    drop_files: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """``[retention.drop_files]``: task, or ``*``, -> patterns of files that finished jobs lose."""
    pack_logs: int | None = None
    """Bytes from which on the logs of jobs that are over are packed; None: never."""
    after_run: bool = False
    """Whether the policies are carried out at the end of each complete run without a failure."""

    @property
    def has_policies(self) -> bool:
        """Whether any policy is set."""
        return bool(self.keep_runs or self.keep_best or self.drop_files) or (
            self.pack_logs is not None
        )


@dataclass(frozen=True)
class Settings:
    """All of it, merged."""

    drift: DriftSettings = field(default_factory=DriftSettings)
    local: LocalSettings = field(default_factory=LocalSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    resources: Resources = DEFAULT_RESOURCES
    """``[resources]``: what a job needs that does not say so itself."""
    code: CodeSettings = field(default_factory=CodeSettings)
    hosts: Mapping[str, HostSettings] = field(default_factory=dict[str, HostSettings])
    pools: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """``[launchers.NAME]`` with `hosts`: several hosts that jobs are spread over."""
    tokens: Mapping[str, int] = field(default_factory=dict[str, int])
    """``[tokens]``: counted names, and how many there are of each on this machine."""


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


def load_settings(workspace: WorkspacePaths) -> Settings:
    """The settings that hold in a workspace; absent files are the defaults.

    Raises SettingsError for what is not TOML, an unknown key, or a value of another kind: with
    the file and the line.
    """
    values: dict[tuple[str, str], Any] = {}
    for path in (_users_file(), workspace.settings):
        values.update(_read(path))

    def of(table: str) -> dict[str, Any]:
        return {key: value for (at, key), value in values.items() if at == table}

    return Settings(
        drift=DriftSettings(**of("drift")),
        local=LocalSettings(**of("launchers.local")),
        retention=RetentionSettings(
            **of("retention"),
            keep_best=of("retention.keep_best"),
            drop_files=of("retention.drop_files"),
        ),
        resources=Resources(**of("resources")),
        tokens=of("tokens"),
        code=CodeSettings(**of("code")),
        **hosts.of_hosts(values),
    )


def _shape(table: str) -> str:
    """The table as `_KNOWN` has it: with a star for a name that is the user's own."""
    parts = table.split(".")
    if len(parts) > 1 and table not in _KNOWN and parts[0] in ("hosts", "launchers"):
        parts[1] = "*"
    return ".".join(parts)


def _users_file() -> str:
    return os.path.join(users_settings(APP_NAME), SETTINGS)


def _tables(text: str, path: str) -> dict[str, Any]:
    """What the text says; raises SettingsError."""
    try:
        import tomli
    except ImportError:
        return _tables_without_tomli(text, path)
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise SettingsError(f"is not TOML: {error.msg}", where=f"{path}:{error.lineno}") from error


def _tables_without_tomli(text: str, path: str) -> dict[str, Any]:
    """On a host that has nothing installed: the line stands in the words, and not in the place."""
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"is not TOML: {error}", where=path) from error


def _read(path: str) -> dict[tuple[str, str], Any]:
    """(table, key) -> checked value."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"can't be read: {error.strerror}", where=path) from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError("is not UTF-8 text", where=f"{path}:{line}") from error
    found: dict[tuple[str, str], Any] = {}
    for table, key, value in _entries(_tables(text, path), ""):
        where = f"{path}:{_line_of(text, table, key)}"
        _check_known(table, key, where)
        found[table, key] = _checked(table, key, value, where)
    return found


def _entries(tables: Mapping[str, Any], prefix: str) -> list[tuple[str, str, Any]]:
    """Every key with its table; a table that is unknown stands for itself."""
    found: list[tuple[str, str, Any]] = []
    for key, value in tables.items():
        path = f"{prefix}.{key}" if prefix else key
        # A dot in a name would read as a table in a table.
        whole = "." not in key or prefix.partition(".")[0] not in ("hosts", "launchers")
        leads_on = (
            isinstance(value, dict) and whole and _is_table(path, cast("dict[str, Any]", value))
        )
        if leads_on:
            found.extend(_entries(cast("dict[str, Any]", value), path))
        else:
            found.append((prefix, key, cast("object", value)))
    return found


def _is_table(path: str, value: Mapping[str, Any]) -> bool:
    shape = _shape(path)
    if shape == "launchers.*" and "hosts" not in value:
        # Not a pool of the user's: a known launcher, misspelled.
        return False
    return any(name == shape or name.startswith(shape + ".") for name in _KNOWN)


def _check_known(table: str, key: str, where: str) -> None:
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


def _checked(table: str, key: str, value: Any, where: str) -> Any:
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
        (shape, "" if shape in hosts.OWN_KEYS else key), _from_one
    )
    try:
        return reader(value)
    except UsageError as error:
        raise SettingsError(
            f"[{table}] {key}: {error.what}", where=where, hint=error.hint
        ) from None


def _from_one(value: object) -> int:
    return _count(value, least=1)


def _from_zero(value: object) -> int:
    return _count(value, least=0)


def _count(value: object, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"{value!r} is no such number", hint=f"a whole number from {least} on")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{value!r} is neither yes nor no", hint="true or false, without quotes")
    return value


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
    return Best(metric, _from_one(fields.get("keep")), lowest)


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
    ("launchers.local", "gpus"): _from_zero,
    ("retention", "trash_days"): _from_zero,
    ("retention", "trash_size"): parse_size,
    ("retention", "pack_logs"): parse_size,
    ("retention", "after_run"): _flag,
    ("resources", "cpus"): _from_zero,
    ("resources", "memory"): parse_size,
    ("resources", "gpus"): _from_zero,
    ("resources", "time"): parse_duration,
    **hosts.READERS,
}
"""What is no whole number from 1 on."""


def _line_of(text: str, table: str, key: str) -> int:
    """The line that sets a key, or opens it as a table; the first line where that can't be told."""
    current = ""
    setting = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*(=|\.)")
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        if header:
            current = header.group(1).replace('"', "").replace(" ", "")
            path = f"{table}.{key}" if table else key
            if current == path or current.startswith(path + "."):
                return number
        elif current == table and setting.match(line):
            return number
    return 1
