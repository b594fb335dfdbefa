"""The launchers that there are, and the one that a name stands for."""

from __future__ import annotations

from difflib import get_close_matches

from xpm_engine.errors import UsageError
from xpm_engine.launchers.base import Launcher
from xpm_engine.launchers.local import NAME as LOCAL
from xpm_engine.launchers.local import LocalLauncher
from xpm_engine.workspace.settings import Settings


def launcher_names(settings: Settings) -> tuple[str, ...]:
    """All names of launchers, in the order in which they are tried where a job names none.

    A pool comes before the hosts that it is made of: who writes one wants its jobs spread.
    """
    return (LOCAL, *settings.pools, *settings.hosts)


def named_launcher(name: str, settings: Settings) -> Launcher:
    """This machine, a host or a pool of hosts of xpm.toml; raises UsageError for anything else."""
    if name == LOCAL:
        mine = settings.local
        return LocalLauncher(cores=mine.cores, memory=mine.memory, gpus=mine.gpus)
    members = settings.pools.get(name) or ((name,) if name in settings.hosts else ())
    if members:
        from xpm_engine.launchers.ssh import SshLauncher

        hosts = {member: settings.hosts[member] for member in members}
        return SshLauncher(
            name,
            hosts,
            others=settings.hosts,
            pools=tuple(settings.pools),
            code=settings.code,
            tokens=settings.tokens,
        )
    near = get_close_matches(name, launcher_names(settings), n=1)
    raise UsageError(
        f"there is no launcher {name!r}",
        hint=f"did you mean {near[0]!r}?" if near else f"write [hosts.{name}] in xpm.toml",
    )
