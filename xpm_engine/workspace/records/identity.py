"""A process, on any machine, at any time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict

from xpm_engine.workspace.records.fields import Fields


@dataclass(frozen=True)
class ProcessIdentity:
    """One process for ever: a pid is reused, this is not."""

    machine_id: str
    boot_id: str
    pid_ns: str
    pid: int
    start_ticks: int
    """Field 22 of /proc/PID/stat: clock ticks between boot and the process's start."""
    host: str
    """The machine's name, for display and to restrict proofs of death."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "machine_id": self.machine_id,
            "boot_id": self.boot_id,
            "pid_ns": self.pid_ns,
            "pid": self.pid,
            "start_ticks": self.start_ticks,
            "host": self.host,
        }

    @classmethod
    def read(cls, fields: Fields) -> "ProcessIdentity":
        return cls(
            machine_id=fields.text("machine_id"),
            boot_id=fields.text("boot_id"),
            pid_ns=fields.text("pid_ns"),
            pid=fields.integer("pid"),
            start_ticks=fields.integer("start_ticks"),
            host=fields.text("host"),
        )
