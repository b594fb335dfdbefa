"""Jobs of other hosts, asked on the spot: one connection, one question."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from xpm_engine.errors import UnreadableError, UsageError
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.hosts import HostSettings
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.tickets import Attempt
from xpm_engine.workspace.settings import load_settings


def host_of(job: JobPaths, attempt: Attempt) -> MirrorState | None:
    """Which attempt of which host this one is a copy of, or was sent to become, if any."""
    path = job.mirror(attempt.number)
    try:
        return MirrorState.from_json(read_object(path), path)
    except (FileNotFoundError, UnreadableError):
        start = attempt.start
        return None if start is None or start.mirror is None else MirrorState(start.mirror.of)


def settings_of(workspace: WorkspacePaths, name: str) -> HostSettings:
    """What xpm.toml says of a host; raises UsageError, SettingsError."""
    hosts = load_settings(workspace).hosts
    if name not in hosts:
        raise UsageError(
            f"xpm.toml does not know the host {name!r} any more",
            where=workspace.settings,
            hint=f"write [hosts.{name}] as it was when the job was sent there",
        )
    return hosts[name]


@contextmanager
def reached(settings: HostSettings) -> Generator[tuple[Connection, WorkspacePaths]]:
    """A connection to a host, and the workspace there; raises RemoteError."""
    from xpm_engine.remote.openssh import connect, parse_destination

    connection = connect(parse_destination(settings.host))
    try:
        found = connection.ask("place", path=settings.workspace)
        yield connection, WorkspacePaths(found["path"])
    finally:
        connection.close()
