"""baseline.json: what was decided about a result that was made with other defaults.

A job without it is compared with its own N.launch. It is replaced atomically by plans and verbs;
of two that decide at once the later wins, and both have said the same or were asked the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Tuple

from xpm_engine.workspace.records.fields import VERSION, Fields


@dataclass(frozen=True)
class Baseline:
    """What a result counts as having been made with."""

    resolved: str
    """The resolved digest that it is compared with; empty for that of its N.launch."""
    params: Optional[Dict[str, Any]]
    """The `ParamsRecord` of that digest as JSON; None for that of its N.launch."""
    accepted: Tuple[str, ...] = ()
    """More resolved digests that it counts as: earlier decisions, and those that a person has
    accepted before a plan met them."""
    at: str = ""
    by: str = ""
    why: str = ""
    """``adopted`` where only new parameters came in, ``accepted`` where a person decided."""
    history: Tuple[str, ...] = field(default_factory=tuple)
    """Every decision, a sentence each."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "resolved": self.resolved,
            "params": self.params,
            "accepted": list(self.accepted),
            "at": self.at,
            "by": self.by,
            "why": self.why,
            "history": list(self.history),
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Baseline":
        fields = Fields(data, where)
        fields.version()
        return cls(
            resolved=fields.text("resolved"),
            params=None if data.get("params") is None else fields.mapping("params"),
            accepted=tuple(fields.texts("accepted")),
            at=fields.text("at"),
            by=fields.text("by"),
            why=fields.text("why"),
            history=tuple(fields.texts("history")),
        )
