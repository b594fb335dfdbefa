"""The files of a machine's pool."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class PoolPaths:
    """The files of a machine's pool, which lies outside of all workspaces."""

    root: str
    """``$XDG_RUNTIME_DIR/pool`` or ``/tmp/xpm-UID/pool``."""

    @property
    def mutex(self) -> str:
        return self.root + "/mutex"

    def reservation(self, nonce: str) -> str:
        """What the attempt with this nonce takes."""
        return f"{self.root}/{nonce}.job"

    def waiting(self, plan: str) -> str:
        """What a plan waits for."""
        return f"{self.root}/{plan}.plan"

    def wake(self, plan: str) -> str:
        """A pipe: a byte in it tells the plan to look again."""
        return f"{self.root}/{plan}.wake"

    def listing(self) -> "tuple[list[str], list[str]]":
        """The nonces of all reservations, and the names of all plans that wait."""
        names = os.listdir(self.root)
        nonces = [name[: -len(".job")] for name in names if name.endswith(".job")]
        return nonces, [name[: -len(".plan")] for name in names if name.endswith(".plan")]
