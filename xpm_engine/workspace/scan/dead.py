"""Whether a process that a record names is dead."""

from __future__ import annotations

from collections.abc import Callable

from xpm_engine.workspace import processes
from xpm_engine.workspace.records.identity import ProcessIdentity

Dead = Callable[[ProcessIdentity], bool | None]
"""Says whether a process is proved dead (True), proved alive (False) or out of sight (None)."""


def dead_here(identity: ProcessIdentity) -> bool | None:
    """As this machine can tell."""
    proved = processes.liveness(identity)
    if proved is processes.Liveness.UNKNOWN:
        return None
    return proved is processes.Liveness.DEAD
