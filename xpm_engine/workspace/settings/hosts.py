"""What xpm.toml says of other hosts, of pools of them, and of the code that travels there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, cast

from xpm_engine.errors import SettingsError, UsageError
from xpm_engine.workspace.records.resources import parse_size
from xpm_engine.workspace.settings.values import flag, from_zero, names, text, texts, variable


@dataclass(frozen=True)
class HostSettings:
    """``[hosts.NAME]``: another machine that is reached by ssh."""

    workspace: str
    """The folder there that jobs run in; ``~`` is the home there."""
    host: str = ""
    """What ssh is told, ``[user@]host[:port]``; empty: the table's name."""
    python: str = "python3"
    """The job's interpreter there, 3.11 or later; ``~/`` is the home there."""
    activate: str = ""
    """Shell commands that the interpreter is started after, such as ``. venv/bin/activate``."""
    cores: int | None = None
    """How many single-core jobs run there at a time; None: as many as it has cores."""
    memory: int | None = None
    """Bytes that its jobs may ask for together; None: it is not counted."""
    gpus: int = 0
    """How many GPUs its jobs may use."""
    shared: bool = False
    """Whether the workspace, the code and the interpreter are the same files as here."""
    fetch: tuple[str, ...] = ("**",)
    """Patterns of a result's files that are brought here; none: on demand."""
    paths: Mapping[str, str] = field(default_factory=dict[str, str])
    """Folder here -> folder there, for absolute paths in parameters."""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    """Environment variables that its jobs are given."""
    pass_env: tuple[str, ...] = ()
    """Names of the plan's environment variables that its jobs are given too, where they are set."""

    def environment(self, here: Mapping[str, str]) -> dict[str, str]:
        """What its jobs find in their environment, of a plan that has that of `here`."""
        return {**{name: here[name] for name in self.pass_env if name in here}, **self.env}


@dataclass(frozen=True)
class CodeSettings:
    """``[code]``: what of the project travels to other hosts."""

    include: tuple[str, ...] = ()
    """Patterns, below the project's folder, of files that travel too."""
    exclude: tuple[str, ...] = ()
    """Patterns of files that do not."""


TABLES: Mapping[str, tuple[str, ...]] = {
    "code": ("include", "exclude"),
    "hosts.*": (
        "host",
        "workspace",
        "python",
        "activate",
        "cores",
        "memory",
        "gpus",
        "shared",
        "fetch",
        "pass_env",
    ),
    "hosts.*.paths": (),
    "hosts.*.env": (),
    "launchers.*": ("hosts",),
}
"""Table -> its keys; a star stands for any name of the user's."""

OWN_KEYS = ("hosts.*.paths", "hosts.*.env")
"""Tables whose keys are the user's own."""


def of_hosts(values: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    """The hosts and the pools of them; raises SettingsError for one that can't be used."""
    found: dict[str, dict[str, Any]] = {}
    pools: dict[str, tuple[str, ...]] = {}
    for (table, key), value in values.items():
        head, _, name = table.partition(".")
        if head == "launchers" and key == "hosts":
            pools[name] = value
        elif head == "hosts" and name.endswith(_INNER):
            name, _, inner = name.rpartition(".")
            found.setdefault(name, {}).setdefault(inner, {})[key] = value
        elif head == "hosts":
            found.setdefault(name, {})[key] = value
    hosts: dict[str, HostSettings] = {}
    for name, given in found.items():
        if "workspace" not in given:
            raise SettingsError(
                f"[hosts.{name}] does not say where its workspace is",
                hint='write workspace = "/a/folder/there" under it',
            )
        given.setdefault("host", name)
        hosts[name] = HostSettings(**given)
    for name, members in pools.items():
        for member in members:
            if member not in hosts:
                near = get_close_matches(member, hosts, n=1)
                raise SettingsError(
                    f"[launchers.{name}] names the host {member!r}, which has no table",
                    hint=f"did you mean {near[0]!r}?" if near else f"write [hosts.{member}]",
                )
    return {"hosts": hosts, "pools": pools}


_INNER = tuple(f".{table.rpartition('.')[2]}" for table in OWN_KEYS)


def _fetched(value: object) -> tuple[str, ...]:
    if value == "all":
        return ("**",)
    if value == "on demand":
        return ()
    if isinstance(value, list):
        return texts(cast("object", value))
    raise UsageError(
        f"{value!r} says nothing", hint='"all", "on demand", or patterns: ["*.json", "best/**"]'
    )


READERS: Mapping[tuple[str, str], Callable[[Any], object]] = {
    ("code", "include"): texts,
    ("code", "exclude"): texts,
    ("hosts.*", "host"): text,
    ("hosts.*", "workspace"): text,
    ("hosts.*", "python"): text,
    ("hosts.*", "activate"): text,
    ("hosts.*", "memory"): parse_size,
    ("hosts.*", "gpus"): from_zero,
    ("hosts.*", "shared"): flag,
    ("hosts.*", "fetch"): _fetched,
    ("hosts.*", "pass_env"): names,
    ("hosts.*.paths", ""): text,
    ("hosts.*.env", ""): variable,
    ("launchers.*", "hosts"): texts,
}
"""What is no whole number from 1 on."""
