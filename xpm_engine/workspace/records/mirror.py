"""Of what another host's folder says, this is a copy (STATE: over SSH)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional

from xpm_engine.workspace.records.fields import Fields


@dataclass(frozen=True)
class Mirror:
    """Where the original is, and when it was last seen."""

    of: str
    """The host's name in xpm.toml."""
    as_of: str

    def to_json(self) -> Dict[str, Any]:
        return {"of": self.of, "as_of": self.as_of}

    @classmethod
    def read(cls, fields: Optional[Fields]) -> "Optional[Mirror]":
        """None for the field of an original."""
        return None if fields is None else cls(fields.text("of"), fields.text("as_of"))
