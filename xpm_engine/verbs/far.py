"""Jobs of other hosts, asked on the spot: one connection, one question."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from xpm_engine.errors import RemoteError, UnreadableError, UsageError
from xpm_engine.remote.connection import Connection
from xpm_engine.workspace.atomic import read_object
from xpm_engine.workspace.layout import JobPaths, WorkspacePaths
from xpm_engine.workspace.records.mirror import MirrorState
from xpm_engine.workspace.records.tickets import Attempt
from xpm_engine.workspace.settings import HostSettings, load_settings


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


class Life(Enum):
    """What a host says of a job that is only mirrored here."""

    LIVES = "it runs"
    OVER = "it has ended"
    DEAD = "it is dead"
    """Proved there, or it never came there."""
    UNREACHABLE = "the host can't be asked"


class FarLives:
    """Asks hosts whether jobs of theirs live; one that can't be reached is not tried again."""

    def __init__(self, workspace: WorkspacePaths) -> None:
        self._workspace = workspace
        self._down: set[str] = set()

    def why_not_dead(self, job: JobPaths, attempt: Attempt, *, assume: bool) -> str:
        """Why nobody may take a job of another host for dead; empty if they may.

        That is where somebody does `assume` it, and its host can't be asked, or proves it.
        """
        far = host_of(job, attempt)
        if far is None:
            return ""
        if not assume:
            return f"it runs on {far.of}, as far as is known here"
        life = self.ask(attempt, far)
        if life not in (Life.LIVES, Life.OVER):
            return ""
        brings = "; run its plan, which brings its end here" if life is Life.OVER else ""
        return f"{far.of} was asked, and says: {life.value}{brings}"

    def ask(self, attempt: Attempt, far: MirrorState) -> Life:
        """What its host says of an attempt; only the machine that it was sent to is believed."""
        if far.of in self._down:
            return Life.UNREACHABLE
        key = str(attempt.launch.key)
        try:
            with reached(settings_of(self._workspace, far.of)) as (connection, there):
                nonce = far.nonce or attempt.launch.nonce
                jobs: list[list[Any]] = [[key, nonce]]
                (found,) = connection.ask("find", root=there.root, jobs=jobs)["found"]
                if found is None and far.machine != connection.machine:
                    return Life.UNREACHABLE
                if found is None:
                    return Life.DEAD
                jobs = [[key, found["attempt"], nonce]]
                (told,) = connection.ask("reap", root=there.root, jobs=jobs)["reaped"]
        except (RemoteError, UsageError):
            self._down.add(far.of)
            return Life.UNREACHABLE
        return _LIFE.get(told, Life.DEAD)


_LIFE = {"lives": Life.LIVES, "ended": Life.OVER}


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
