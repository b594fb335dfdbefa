"""``result.json``: what a task's ``execute`` returned, for its plan.

Portable set: plain standard library, Python 3.8 syntax.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional

from xpm_engine.workspace.records.fields import VERSION, Fields


@dataclass(frozen=True)
class ResultRecord:
    """What attempt N returned."""

    attempt: int
    value: Any
    """Canonical JSON."""
    unfit: Optional[str] = None
    """Why it could not be kept; None if `value` is it."""

    def to_json(self) -> Dict[str, Any]:
        data: Dict[str, Any] = {"v": VERSION, "attempt": self.attempt, "value": self.value}
        if self.unfit is not None:
            data["unfit"] = self.unfit
        return data

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "ResultRecord":
        fields = Fields(data, where)
        fields.version()
        return cls(fields.integer("attempt"), data.get("value"), fields.optional_text("unfit"))
