"""What the process of a retry is told by whoever starts it.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Tuple

from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields
from xpm_engine.workspace.records.orders import StoredOrder
from xpm_engine.workspace.records.reasons import read_keys
from xpm_engine.workspace.records.runs import Scope


@dataclass(frozen=True)
class RetryOrder:
    """What a retry's process is told."""

    workspace: str
    experiment: str
    scope: Scope
    """Of the run whose jobs these are: a later complete run of it takes the retry's place too."""
    orders: Tuple[StoredOrder, ...]
    """Upstream jobs first."""
    again: Tuple[JobKey, ...]
    """Those of them that are run again; the others have not run, or are only waited for."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "workspace": self.workspace,
            "experiment": self.experiment,
            "scope": self.scope.to_json(),
            "orders": [order.to_json() for order in self.orders],
            "again": [str(key) for key in self.again],
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any]) -> "RetryOrder":
        fields = Fields(data, "the retry's order")
        # Another machine's app may be newer than the engine here.
        fields.version()
        return cls(
            workspace=fields.text("workspace"),
            experiment=fields.text("experiment"),
            scope=Scope.read(fields.part("scope")),
            orders=tuple(
                StoredOrder.from_json(part.data, fields.where) for part in fields.parts("orders")
            ),
            again=read_keys(fields, "again"),
        )
