"""Settings as they stand in a file: read, checked, and told with their line where they are bad."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, cast

from xpm_engine.errors import SettingsError
from xpm_engine.workspace.layout import SETTINGS, WorkspacePaths
from xpm_engine.workspace.records.resources import Resources
from xpm_engine.workspace.settings import hosts
from xpm_engine.workspace.settings.checking import check_known, checked, is_table
from xpm_engine.workspace.settings.hosts import CodeSettings
from xpm_engine.workspace.settings.schema import (
    DriftSettings,
    LocalSettings,
    RetentionSettings,
    Settings,
)
from xpm_engine.workspace.user_folders import APP_NAME, users_settings


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

    try:
        of_hosts = hosts.of_hosts(values)
    except SettingsError as error:
        error.where = error.where or workspace.settings
        raise
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
        **of_hosts,
    )


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
        if os.path.islink(path):
            raise SettingsError(
                "is a link that leads nowhere",
                where=path,
                hint="is its disk mounted? Without the link the defaults hold",
            ) from None
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
        check_known(table, key, where)
        found[table, key] = checked(table, key, value, where)
    return found


def _entries(tables: Mapping[str, Any], prefix: str) -> list[tuple[str, str, Any]]:
    """Every key with its table; a table that is unknown stands for itself."""
    found: list[tuple[str, str, Any]] = []
    for key, value in tables.items():
        path = f"{prefix}.{key}" if prefix else key
        # A dot in a name would read as a table in a table.
        whole = "." not in key or prefix.partition(".")[0] not in ("hosts", "launchers")
        leads_on = (
            isinstance(value, dict) and whole and is_table(path, cast("dict[str, Any]", value))
        )
        if leads_on:
            found.extend(_entries(cast("dict[str, Any]", value), path))
        else:
            found.append((prefix, key, cast("object", value)))
    return found


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
