"""alias.json: this job's result is that of another job, which was its name before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict

from xpm_engine.errors import UnreadableError
from xpm_engine.workspace.layout import JobKey
from xpm_engine.workspace.records.fields import VERSION, Fields


@dataclass(frozen=True)
class Alias:
    """A result that was adopted; it counts only while the job has no tickets of its own."""

    of: JobKey
    """The job whose result it is, and whose folder it needs."""
    at: str
    by: str
    run: str
    """``experiment/run`` that adopted it."""

    def to_json(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "of": str(self.of),
            "at": self.at,
            "by": self.by,
            "run": self.run,
        }

    @classmethod
    def from_json(cls, data: Dict[str, Any], where: str) -> "Alias":
        fields = Fields(data, where)
        fields.version()
        try:
            of = JobKey.parse(fields.text("of"))
        except ValueError as error:
            raise UnreadableError(str(error), where=where) from None
        return cls(of, fields.text("at"), fields.text("by"), fields.text("run"))
