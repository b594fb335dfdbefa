"""Whether things are as they must be, a step at a time, and what to do where they are not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from xpm_engine.errors import StorageError, UsageError, XpmError
from xpm_engine.launchers.ssh.site import check_python, python_command
from xpm_engine.remote import openssh
from xpm_engine.remote.agent.sweeping import UNUSED
from xpm_engine.remote.connection import Connection
from xpm_engine.words import plural, size
from xpm_engine.workspace.index import index_path, why_unwritable
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.pool.folder import open_folder
from xpm_engine.workspace.scan import is_workspace
from xpm_engine.workspace.settings import HostSettings, load_settings

NO_SPACE = 1 << 24
"""Bytes of free space below which not even code and logs have room."""

LITTLE_SPACE = 1 << 30
"""Bytes of free space below which a workspace is soon full."""

FEW_WATCHES = 8192
"""inotify watches below which a large workspace is looked at instead of listened to."""

MUCH_SKEW = 5.0
"""Seconds between two clocks that confuse people."""


class Finding(StrEnum):
    """How a step came out."""

    FINE = "fine"
    CARE = "care"
    """It works, and something is worth knowing."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Step:
    """One thing that was looked at."""

    what: str
    finding: Finding
    text: str
    hint: str = ""


def here(workspace: WorkspacePaths) -> Iterator[Step]:
    """This machine, and a workspace on it."""
    version = platform.python_version()
    old = sys.version_info < (3, 11)
    yield Step("python", Finding.WRONG if old else Finding.FINE, f"{version} ({sys.executable})")
    try:
        load_settings(workspace)
        there = os.path.exists(workspace.settings)
        none = f"there is no {workspace.settings}, and none is needed"
        yield Step("settings", Finding.FINE, workspace.settings if there else none)
    except UsageError as error:
        yield _failed("settings", error)
    nearest = workspace.root
    while not os.path.exists(nearest):
        nearest = os.path.dirname(nearest)
    yield from _folder(
        {
            "path": workspace.root,
            "exists": os.path.isdir(workspace.root),
            "empty": not is_workspace(workspace),
            "nearest": nearest,
            "writable": os.access(nearest, os.W_OK | os.X_OK),
            "free": shutil.disk_usage(nearest).free,
            "fs": "",
        }
    )
    try:
        yield Step("pool", Finding.FINE, open_folder().root)
    except StorageError as error:
        yield _failed("pool", error)
    yield _index(workspace)
    yield from _watches(_number("/proc/sys/fs/inotify/max_user_watches"))
    if os.environ.get("TMUX"):
        yield from _tmux()


def _index(workspace: WorkspacePaths) -> Step:
    """What the app and `xpm ls` remember of a large workspace."""
    trouble = why_unwritable(workspace)
    if trouble:
        hint = "free space there, or set XDG_CACHE_HOME; until then each start reads all folders"
        return Step("index", Finding.CARE, trouble, hint)
    path = index_path(workspace)
    try:
        size = os.path.getsize(path)
    except OSError:
        return Step("index", Finding.FINE, f"{path}: written when there is much to remember")
    return Step("index", Finding.FINE, f"{path}: {size / 1e6:.1f} MB")


def ssh(workspace: WorkspacePaths, name: str) -> Iterator[Step]:
    """A host of xpm.toml, or any other address, from the client to the job's interpreter."""
    client = shutil.which("ssh")
    if client is None:
        yield Step("client", Finding.WRONG, "there is no ssh here", "install the OpenSSH client")
        return
    yield Step("client", Finding.FINE, client)
    try:
        settings = load_settings(workspace).hosts.get(name)
        destination = openssh.parse_destination(settings.host if settings else name)
    except UsageError as error:
        yield _failed("settings", error)
        return
    if settings is None:
        text = f"[hosts.{name}] is not in {workspace.settings}"
        hint = 'to run jobs there, write it with workspace = "a folder there"'
        yield Step("settings", Finding.CARE, text, hint)
    else:
        yield Step("settings", Finding.FINE, f"[hosts.{name}] in {workspace.settings}")
    try:
        connection = openssh.connect(destination)
    except XpmError as error:
        yield _failed("connection", error)
        return
    try:
        yield from _agent(connection)
        if settings is not None:
            yield from _place(connection, settings, name)
    finally:
        connection.close()


def _agent(connection: Connection) -> Iterator[Step]:
    hello = connection.hello
    who = f"{hello.user} on {hello.host}, {hello.cores} cores, {hello.platform}"
    yield Step("connection", Finding.FINE, who)
    yield Step("agent", Finding.FINE, f"runs by Python {hello.python}; nothing was installed")
    if abs(hello.skew) > MUCH_SKEW:
        text = f"its clock is {hello.skew:+.0f} s off; nothing depends on it but what you read"
        yield Step("clock", Finding.CARE, text, "let it keep time by NTP")


def _place(connection: Connection, settings: HostSettings, name: str) -> Iterator[Step]:
    try:
        found = connection.ask("place", path=settings.workspace)
        yield from _folder(found)
        yield from _code(connection.ask("shipped", root=found["path"], patience=60.0)["code"], name)
        env = settings.environment(os.environ)
        version = check_python(connection, python_command(settings), name, env=env)
        yield Step("python", Finding.FINE, version)
        absent = [each for each in settings.pass_env if each not in os.environ]
        if absent:
            text = f"not set here, so that jobs there don't get them: {', '.join(absent)}"
            yield Step("pass_env", Finding.CARE, text, "export them before you start a plan")
        yield from _watches(found.get("watches"))
    except XpmError as error:
        yield _failed("python", error)


def _folder(found: dict[str, Any]) -> Iterator[Step]:
    path = found["path"]
    if not found["exists"] and found["nearest"] == path:
        text = f"{path} is a file, or a link to nothing"
        yield Step("workspace", Finding.WRONG, text, "choose another folder, or move it away")
        return
    if found["free"] < NO_SPACE:
        text = f"the disk of {found['nearest']} is full"
        yield Step("workspace", Finding.WRONG, text, "free some space, or choose another folder")
        return
    if not found["writable"]:
        text = f"{found['nearest']} may not be written"
        yield Step("workspace", Finding.WRONG, text, "choose another folder, or ask who owns it")
        return
    kind = f", {found['fs']}" if found["fs"] else ""
    will = "; no plan has run in it yet" if found.get("empty") else ""
    will = will if found["exists"] else "; it will be made"
    free = found["free"]
    text = f"{path} ({free / 1e9:.1f} GB free{kind}){will}"
    little = free < LITTLE_SPACE
    hint = "free some space before large results are written" if little else ""
    yield Step("workspace", Finding.CARE if little else Finding.FINE, text, hint)


def _code(shipped: list[dict[str, Any]], name: str) -> Iterator[Step]:
    if shipped:
        days, free = UNUSED / 86400, [row for row in shipped if not row["stays"]]
        text = f"{plural(len(shipped), 'version')} of shipped code, "
        text += f"{size(sum(row['size'] for row in shipped))}; what nobody has used for {days:.0f} "
        text += "days goes when the next plan ships its own"
        if free:
            text += f"; no job needs {len(free)}: xpm clean --code {name} removes them now"
        yield Step("code", Finding.FINE, text)


def _watches(count: int | None) -> Iterator[Step]:
    if count is None:
        text = "there is no inotify: changes are looked for, not heard of"
        yield Step("watching", Finding.CARE, text)
    elif count < FEW_WATCHES:
        text = f"{count} inotify watches: a large workspace is looked at every few seconds"
        hint = "sysctl fs.inotify.max_user_watches=65536"
        yield Step("watching", Finding.CARE, text, hint)
    else:
        yield Step("watching", Finding.FINE, f"{count} inotify watches")


def _tmux() -> Iterator[Step]:
    asked = ["tmux", "show-options", "-sv", "escape-time"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout
        milliseconds = int(said)
    except (OSError, ValueError, subprocess.SubprocessError):
        return
    slow = milliseconds > 50
    hint = "set -s escape-time 10 in ~/.tmux.conf" if slow else ""
    text = f"the Escape key takes {milliseconds} ms in this tmux"
    yield Step("tmux", Finding.CARE if slow else Finding.FINE, text, hint)


def _failed(what: str, error: XpmError) -> Step:
    where = f" ({error.where})" if error.where else ""
    return Step(what, Finding.WRONG, f"{error.what}{where}", error.hint or "")


def _number(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None
