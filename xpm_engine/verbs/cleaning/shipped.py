"""Code that plans have shipped to a host: what is there, and removing what no job needs."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from xpm_engine.errors import UsageError
from xpm_engine.remote.connection import Connection
from xpm_engine.verbs.far import reached
from xpm_engine.verbs.protection import changing
from xpm_engine.workspace.layout import WorkspacePaths
from xpm_engine.workspace.settings import load_settings

PATIENCE = 120.0
"""Seconds for a host to look at all of its code and jobs."""


@dataclass(frozen=True)
class ShippedCode:
    """One version of code on a host."""

    place: str
    """Its folder there."""
    size: int
    unused: float
    """Seconds since a plan used it last."""
    stays: str
    """Why it can't go now; empty where it can."""

    @property
    def name(self) -> str:
        """The first digits of its digest."""
        return self.place.rpartition("/")[2][:12]

    def to_json(self) -> dict[str, Any]:
        return {
            "place": self.place,
            "bytes": self.size,
            "unused_seconds": round(self.unused),
            "stays": self.stays,
        }


def shipped_code(workspace: WorkspacePaths, host: str) -> tuple[ShippedCode, ...]:
    """All that is on a host of xpm.toml, what was used last first; it only reads.

    Raises UsageError, RemoteError.
    """
    with _reached(workspace, host) as (connection, there):
        rows = connection.ask("shipped", root=there.root, patience=PATIENCE)["code"]
    found = [ShippedCode(row["place"], row["size"], row["unused"], row["stays"]) for row in rows]
    return tuple(sorted(found, key=lambda code: code.unused))


@changing
def remove_shipped(workspace: WorkspacePaths, host: str) -> frozenset[str]:
    """Remove what nothing there needs, however lately it was used; the folders that went.

    Each is looked at again there. It is not moved to the trash: who needs it ships it again.
    """
    with _reached(workspace, host) as (connection, there):
        answer = connection.ask("sweep", root=there.root, unused=0, patience=PATIENCE)
        return frozenset(answer["removed"])


@contextmanager
def _reached(workspace: WorkspacePaths, host: str) -> Generator[tuple[Connection, WorkspacePaths]]:
    hosts = load_settings(workspace).hosts
    if host not in hosts:
        known = ", ".join(hosts)
        raise UsageError(
            f"xpm.toml has no host {host!r}",
            where=workspace.settings,
            hint=f"there are: {known}" if known else f"write [hosts.{host}] in it",
        )
    with reached(hosts[host]) as found:
        yield found
