"""pin.json: a person wants to keep this job, whatever becomes of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict

from xpm_engine.workspace.records.fields import VERSION, Fields


@dataclass(frozen=True)
class Pin:
    """Who pinned a job; that the file is there is what counts, even where it can't be read."""

    at: str
    by: str
    why: str = ""
    """In the words of who pinned it."""

    def to_json(self) -> Dict[str, Any]:
        return {"v": VERSION, "at": self.at, "by": self.by, "why": self.why}

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Pin":
        fields = Fields(data, where)
        fields.version()
        return cls(fields.text("at"), fields.text("by"), fields.optional_text("why") or "")
