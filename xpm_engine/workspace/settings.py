"""Settings: one frozen schema, read from the workspace's ``xpm.toml`` and the user's own file.

A call beats the command line beats the workspace's file beats the user's file beats the defaults.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from xpm_engine.errors import SettingsError
from xpm_engine.workspace.layout import SETTINGS, WorkspacePaths

APP_NAME = "xpm"
"""The folder of the user's own settings and caches."""


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


@dataclass(frozen=True)
class Settings:
    """All of it, merged."""

    drift: DriftSettings = field(default_factory=DriftSettings)
    local: LocalSettings = field(default_factory=LocalSettings)


_KNOWN: Mapping[str, tuple[str, ...]] = {
    "drift": ("policy",),
    "launchers.local": ("cores",),
}
"""Table -> its keys."""


def load_settings(workspace: WorkspacePaths) -> Settings:
    """The settings that hold in a workspace; absent files are the defaults.

    Raises SettingsError for what is not TOML, an unknown key, or a value of another kind: with
    the file and the line.
    """
    values: dict[tuple[str, str], Any] = {}
    for path in (_users_file(), workspace.settings):
        values.update(_read(path))
    policy = values.get(("drift", "policy"), OnDrift.ERROR)
    return Settings(
        drift=DriftSettings(policy=policy),
        local=LocalSettings(cores=values.get(("launchers.local", "cores"))),
    )


def _users_file() -> str:
    from platformdirs import user_config_dir

    return os.path.join(user_config_dir(APP_NAME), SETTINGS)


def _read(path: str) -> dict[tuple[str, str], Any]:
    """(table, key) -> checked value."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise SettingsError(f"can't be read: {error.strerror}", where=path) from error
    import tomli

    try:
        text = data.decode("utf-8")
        tables = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise SettingsError(f"is not TOML: {error.msg}", where=f"{path}:{error.lineno}") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError("is not UTF-8 text", where=f"{path}:{line}") from error
    found: dict[tuple[str, str], Any] = {}
    for table, key, value in _entries(tables, ""):
        where = f"{path}:{_line_of(text, table, key)}"
        _check_known(table, key, where)
        found[table, key] = _checked(table, key, value, where)
    return found


def _entries(tables: Mapping[str, Any], prefix: str) -> list[tuple[str, str, Any]]:
    """Every key with its table; a table that is unknown stands for itself."""
    found: list[tuple[str, str, Any]] = []
    for key, value in tables.items():
        path = f"{prefix}.{key}" if prefix else key
        leads_on = any(name == path or name.startswith(path + ".") for name in _KNOWN)
        if isinstance(value, dict) and leads_on:
            found.extend(_entries(value, path))
        else:
            found.append((prefix, key, value))
    return found


def _check_known(table: str, key: str, where: str) -> None:
    known = list(_KNOWN.get(table, ()))
    if key in known:
        return
    depth = f"{table}." if table else ""
    known += sorted(
        {name.removeprefix(depth).split(".")[0] for name in _KNOWN if name.startswith(depth)}
    )
    near = get_close_matches(key, known, n=1)
    place = f"[{table}] has no setting" if table else "there is no setting or table"
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    raise SettingsError(f"{place} {key!r}", where=where, hint=hint)


def _checked(table: str, key: str, value: Any, where: str) -> Any:
    if (table, key) == ("drift", "policy"):
        try:
            return OnDrift(value)
        except ValueError:
            choices = ", ".join(f'"{choice.value}"' for choice in OnDrift)
            raise SettingsError(
                f"[drift] policy is {value!r}", where=where, hint=f"one of {choices}"
            ) from None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SettingsError(
            f"[{table}] {key} is {value!r}", where=where, hint="a whole number from 1 on"
        )
    return value


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
